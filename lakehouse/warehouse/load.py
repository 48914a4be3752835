"""Load one version of a table into `staging`: rows by binary COPY, then key, indexes and statistics."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from lakehouse.errors import LakehouseError
from lakehouse.warehouse.connection import Connection
from lakehouse.warehouse.lake import PinnedTable
from lakehouse.warehouse.shape import Shape, create_table

if TYPE_CHECKING:
    import pyarrow as pa


class LoadFailed(LakehouseError):
    """Postgres does not take the rows of a table."""


@dataclass(frozen=True)
class Loaded:
    """A table in `staging`, complete."""

    data_table: str
    rows: int
    seconds: float


def load(connection: Connection, pinned: PinnedTable, data_table: str) -> Loaded:
    """Everything in one transaction: a table in `staging` is whole or not there.

    COPY … FREEZE into a table made in the same transaction writes rows that every snapshot sees, also one taken before the
    publication. (With SET LOGGED, which rewrites the table, a transaction begun earlier would find it empty.)
    """
    began = time.monotonic()
    try:
        with connection.transaction():
            connection.execute(create_table(pinned.shape, data_table))
            rows = _copy(connection, pinned, data_table)
            _index(connection, pinned.shape, data_table)
            # Readers come through views, whose owner passes; this makes Postgres plan anew when the role changes (see schema).
            connection.execute(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(sql.Identifier("staging", data_table)))
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("staging", data_table)))
    except (psycopg.errors.CharacterNotInRepertoire, psycopg.errors.UntranslatableCharacter) as refused:
        raise _nul(pinned) or LoadFailed(f"{pinned.name}: {refused.diag.message_primary}") from None
    except psycopg.Error as refused:
        if refused.sqlstate is None:  # the connection is lost, which tells nothing of the rows
            raise
        told = refused.diag
        raise LoadFailed(
            f"{pinned.name}: Postgres refuses it: {told.message_primary}"
            + (f" ({told.message_detail})" if told.message_detail else "")
            + (f"\n  {told.context}" if told.context else "")
        ) from refused
    return Loaded(data_table, rows, time.monotonic() - began)


def _copy(connection: Connection, pinned: PinnedTable, data_table: str) -> int:
    from pgpq import ArrowToPostgresBinaryEncoder

    as_json = [c.name for c in pinned.shape.columns if c.type == "jsonb"]
    schema = _with_text(pinned.schema, as_json)
    encoder = ArrowToPostgresBinaryEncoder.new_with_encoders(schema, _encoders(schema, as_json))
    names = sql.SQL(", ").join(sql.Identifier(name) for name in schema.names)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary, FREEZE)").format(
        sql.Identifier("staging", data_table), names
    )
    rows = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encoder.write_header())
        for batch in pinned.batches():
            if batch.num_rows:
                copy.write(encoder.write_batch(_written_out(batch, as_json, pinned)))
                rows += batch.num_rows
        copy.write(encoder.finish())
    return rows


def _index(connection: Connection, shape: Shape, data_table: str) -> None:
    table = sql.Identifier("staging", data_table)
    key = sql.SQL(", ").join(sql.Identifier(name) for name in shape.key)
    connection.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(table, key))
    for column in shape.indexed:
        connection.execute(sql.SQL("CREATE INDEX ON {} ({})").format(table, sql.Identifier(column)))


def _with_text(schema: pa.Schema, as_json: list[str]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([pa.field(f.name, pa.string()) if f.name in as_json else f for f in schema])


def _encoders(schema: pa.Schema, as_json: list[str]) -> dict[str, Any]:
    from pgpq import ArrowToPostgresBinaryEncoder
    from pgpq.encoders import StringEncoderBuilder
    from pgpq.schema import Jsonb

    return {
        f.name: StringEncoderBuilder.new_with_output(f, Jsonb())
        if f.name in as_json
        else ArrowToPostgresBinaryEncoder.infer_encoder(f)
        for f in schema
    }


def _written_out(batch: pa.RecordBatch, as_json: list[str], pinned: PinnedTable) -> pa.RecordBatch:
    import pyarrow as pa

    for name in as_json:
        at = batch.schema.get_field_index(name)
        try:
            texts = [
                None if value is None else json.dumps(value, default=_plain, allow_nan=False, ensure_ascii=False)
                for value in batch.column(at).to_pylist(maps_as_pydicts="strict")
            ]
        except ValueError as refused:
            raise LoadFailed(f"{pinned.name}, column '{name}': JSON cannot hold it: {refused}") from None
        batch = batch.set_column(at, pa.field(name, pa.string()), pa.array(texts, pa.string()))
    return batch


def _plain(value: object) -> str:
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _nul(pinned: PinnedTable) -> LoadFailed | None:
    """Name the value with a NUL character, which Postgres's text cannot hold: only looked for once it was refused."""
    for batch in pinned.batches():
        for column in batch.schema.names:
            for row in _rows_with_nul(batch.column(column)):
                key = {name: batch.column(name)[row].as_py() for name in pinned.shape.key}
                return LoadFailed(
                    f"{pinned.name}, column '{column}', key {key}: the text holds a NUL character (\\x00), which Postgres "
                    "cannot store. Remove it where the table is made, for example with replace(…, chr(0), '')."
                )
    return None


def _rows_with_nul(values: pa.Array) -> Iterator[int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(values.type):
        yield from (row for row, holds in enumerate(pc.match_substring(values, "\x00").to_pylist()) if holds)
    elif pa.types.is_nested(values.type):
        yield from (row for row, value in enumerate(values.to_pylist()) if "\\x00" in repr(value))
