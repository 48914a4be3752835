"""Ask the warehouse as an analyst does: reading only, and not forever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from lakehouse.errors import LakehouseError
from lakehouse.warehouse.connection import Connection, reader


class QueryFailed(LakehouseError):
    """Postgres refuses a query; the text says where and why."""


@dataclass(frozen=True)
class Answer:
    """Rows of a query, and whether there were more than asked for."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    more: bool = False


def query(text: str, limit: int | None = None, *, seconds: float = 60.0) -> Answer:
    """One read-only statement as the analyst role; at most `limit` rows of its answer, in at most `seconds`."""
    with reader(seconds) as connection, connection.cursor() as cursor:
        rows: list[tuple[Any, ...]] = []
        try:
            # Row by row, so that a limit spares memory; and by the extended protocol, which takes one statement only.
            for row in cursor.stream(text, size=1):
                if limit is not None and len(rows) == limit:
                    return Answer(_columns(cursor), rows, more=True)
                rows.append(row)
        except psycopg.errors.QueryCanceled:
            raise QueryFailed(
                f"the query ran longer than {seconds:.0f} s and was stopped. Ask for less, or allow it more time."
            ) from None
        except psycopg.errors.ReadOnlySqlTransaction as refused:
            raise QueryFailed(f"queries only read: {refused.diag.message_primary}") from None
        except psycopg.Error as refused:
            raise QueryFailed(_explain(refused, text)) from None
        return Answer(_columns(cursor) or _described(connection, text), rows)


def _columns(cursor: psycopg.Cursor[Any]) -> list[str]:
    return [column.name for column in cursor.description or ()]


def _described(connection: Connection, text: str) -> list[str]:
    """Columns of an answer without rows: a stream does not tell them, Postgres does without running it again."""
    connection.pgconn.prepare(b"", text.encode())
    described = connection.pgconn.describe_prepared(b"")
    return [(described.fname(n) or b"").decode() for n in range(described.nfields)]


def _explain(refused: psycopg.Error, text: str) -> str:
    told = refused.diag
    lines = [told.message_primary or str(refused)]
    if told.statement_position:
        at = int(told.statement_position) - 1
        start = text.rfind("\n", 0, at) + 1
        lines += [f"  {text[start:].splitlines()[0]}", "  " + " " * (at - start) + "^"]
    lines += [f"  {part}" for part in (told.message_detail, told.message_hint) if part]
    if isinstance(refused, psycopg.errors.UndefinedTable):
        lines.append("  Tables are in the schema marts: SELECT table_name FROM ops.shown lists them.")
    return "\n".join(lines)
