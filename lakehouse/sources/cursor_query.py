"""Rows of a Postgres source that allows no more than queries: those whose cursor column has grown since the last time.

A transaction may commit after another that wrote a higher cursor value. So each read begins some time below the highest value seen, and
takes only rows that were not taken as they are: the manifest keeps a hash of each row in that stretch. A transaction open for
longer than the stretch is missed, as is every deletion: where that matters, capture the changes (`capture/`).

Rows land as change rows, all of them upserts, numbered in the order of the cursor.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.sources import batches
from lakehouse.sources.batches import LandReport, Place, Spool, following

READ = """
SELECT format('%%s', {cursor}), to_jsonb(t)::text, {below} FROM {table} t WHERE {cursor} IS NOT NULL {since}
ORDER BY {cursor}, to_jsonb(t)::text
"""
ROWS_AT_ONCE = 2_000


class QueryError(LakehouseError):
    """A source could not be asked."""


def land(source: str, dsn: str, place: Place, tables: Sequence[str], cursor: str, overlap: timedelta) -> LandReport:
    """Land the rows of `tables` whose `cursor` column has grown, as one batch. The cursor is a time or a number; `overlap` is for times."""
    import psycopg

    began = time.monotonic()
    try:
        with psycopg.connect(dsn, autocommit=True, options="-c timezone=UTC") as connection, Spool(source) as spool:
            connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"query of {source}"])
            last = batches.newest(source, place) or {}
            now: Any = connection.execute("SELECT clock_timestamp()").fetchone()
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            numbered, known = int(last.get("sequence", 0)), last.get("tables", {})
            seen = {}
            with connection.transaction():
                for table in tables:
                    numbered, seen[table] = _read(connection, spool, table, cursor, overlap, known.get(table), numbered)
            manifest = {
                "source": source, "batch": following(last.get("batch")), "sequence": numbered, "tables": known | seen,
                "watermark": (now[0] - overlap).astimezone(UTC).isoformat(),
            }  # fmt: skip
            manifest["objects"] = spool.upload(place, manifest["batch"])
            batches.commit(place, source, manifest["batch"], manifest)
    except psycopg.errors.UndefinedColumn as missing:
        raise QueryError(
            f"{source}: {missing.diag.message_primary}. Name the column that grows with every change: "
            f"CursorQuery(\"{source}\", cursor=\"…\")"
        ) from None
    except psycopg.errors.UndefinedTable as missing:
        raise QueryError(
            f"{source}: {missing.diag.message_primary}. Tables are named by the last part of a prefix: {', '.join(tables)}"
        ) from None
    except psycopg.OperationalError as down:
        raise QueryError(f"{source}: its database does not answer ({str(down).strip()}). Check LAKEHOUSE_{source.upper()}_URL") from down
    return LandReport(manifest["batch"], spool.counts, datetime.fromisoformat(manifest["watermark"]), time.monotonic() - began)


def _read(
    connection: Any, spool: Spool, table: str, cursor: str, overlap: timedelta, known: dict[str, Any] | None, numbered: int
) -> tuple[int, dict[str, Any]]:
    """Spool what is new of a table; gives the last number used and what the next read must know."""
    from psycopg.sql import SQL, Identifier, Literal

    kind = connection.execute(
        "SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s", [table, cursor]
    ).fetchone()
    is_time = bool(kind) and (kind[0].startswith("timestamp") or kind[0] == "date")
    typed = SQL(kind[0] if kind else "text")
    column, highest = Identifier(cursor), known["highest"] if known else None
    back = SQL(" - {}::interval").format(Literal(overlap)) if is_time else SQL("")
    since = SQL("AND {} >= {}::{}{}").format(column, Literal(highest), typed, back) if highest is not None else SQL("")
    # Whether a row will be looked at again next time: it lies in the stretch below the highest value there is now.
    below = SQL("{} >= max({}) OVER (){}").format(column, column, back)
    query = SQL(READ).format(cursor=column, below=below, table=Identifier(table), since=since)
    taken, kept = set(known["taken"]) if known else set(), []
    at = datetime.now(UTC).isoformat()
    with closing(connection.cursor(f"read_{table}")) as rows:
        rows.itersize = ROWS_AT_ONCE
        rows.execute(query, [])
        for value, row, again in rows:
            digest = hashlib.sha256(row.encode()).hexdigest()[:20]
            highest = value
            if again:
                kept.append(digest)
            if digest not in taken:
                numbered += 1
                spool.write(table, f'{{"sequence": {numbered}, "operation": "upsert", "at": "{at}", "row": {row}}}')
    return numbered, {"highest": highest, "taken": kept if kept else sorted(taken)}
