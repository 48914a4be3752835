"""Objects of landing as Arrow batches of text: what bronze is made of, in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from lakehouse.declare.sources import ChangeRows, Csv, JsonLines, Source
from lakehouse.errors import LakehouseError
from lakehouse.sources import change_rows, delimited, json_lines
from lakehouse.sources.objects import Meter, Open, content_hash, lines_of
from lakehouse.sources.received import RAW_LIMIT, Items, Names, ObjectRefused, Row, Unreadable

__all__ = ["content_hash", "read_object", "unknown_columns"]

CHUNK_BYTES = 32 << 20
CHANGE_COLUMNS = ("_op", "_sequence", "_event_at")
UNKNOWN = b"unknown_columns"


def read_object(source: Source, columns: Sequence[str], open_stream: Open, name: str, chunk_rows: int = 20_000) -> Iterator[Any]:
    """Record batches of one object: `columns` (names as received) as `c0`…, text, null where absent.

    Change rows have `_op`, `_sequence`, `_event_at` before them; after them come `_line` (bigint, from 1),
    `_raw` and `_error`, both null where the line is readable. Numbers keep their literal, nested values are
    JSON text. An object of which nothing may be taken gives one row, `_line` 0, with the reason. Names
    received beyond `columns` are `unknown_columns(batch)` of the last batch.
    """
    names = Names(tuple(columns))
    of_change = CHANGE_COLUMNS if isinstance(source, ChangeRows) else ()
    labels = [*of_change, *(f"c{i}" for i in range(len(columns)))]
    meter = Meter()
    for chunk in _chunks(_items(source, names, lines_of(open_stream, name, meter)), chunk_rows, meter):
        yield _batch(labels, chunk, names.unknown)


def unknown_columns(batch: Any) -> list[str]:
    """Names met in the object up to this batch which no column is received as."""
    metadata = batch.schema.metadata or {}
    return list(json.loads(metadata.get(UNKNOWN, b"[]")))


def _items(source: Source, names: Names, lines: Iterator[bytes | None]) -> Items:
    try:
        if isinstance(source, ChangeRows):
            yield from change_rows.rows(lines, names)
        elif isinstance(source, JsonLines):
            yield from json_lines.rows(lines, names)
        elif isinstance(source, Csv):
            yield from delimited.rows(lines, names, source.delimiter, source.encoding)
        else:
            raise LakehouseError(f"{source!r} has no reader. Valid: JsonLines(…), Csv(…), ChangeRows(…).")
    except ObjectRefused as refused:
        yield Unreadable(0, "", str(refused))


def _chunks(items: Items, chunk_rows: int, meter: Meter) -> Iterator[list[Row | Unreadable]]:
    chunk: list[Row | Unreadable] = []
    start = meter.passed
    for item in items:
        chunk.append(item)
        if len(chunk) >= chunk_rows or meter.passed - start > CHUNK_BYTES:
            yield chunk
            chunk, start = [], meter.passed
    if chunk:
        yield chunk


def _batch(labels: Sequence[str], chunk: list[Row | Unreadable], unknown: list[str]) -> Any:
    import pyarrow as pa

    broken = [item for item in chunk if isinstance(item, Unreadable)]
    good = [item for item in chunk if not isinstance(item, Unreadable)]
    values = zip(*(row for _, row in good), strict=True) if good else ([] for _ in labels)
    empty = [None] * len(broken)
    arrays = [pa.array(chain(_texts(column), empty), pa.string()) for column in values]
    lines = [line for line, _ in good] + [item.line for item in broken]
    none = [None] * len(good)
    arrays += [
        pa.array(lines, pa.int64()),
        pa.array([*none, *(_shown(item.raw[:RAW_LIMIT]) for item in broken)], pa.string()),
        pa.array([*none, *(_shown(item.reason) for item in broken)], pa.string()),
    ]
    kinds = {"_line": pa.int64()}
    fields = [(label, kinds.get(label, pa.string())) for label in (*labels, "_line", "_raw", "_error")]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields, metadata={UNKNOWN: json.dumps(unknown).encode()}))


def _shown(text: str) -> str:
    """Text that any table can hold, whatever characters it quotes."""
    return text.replace("\0", "␀").encode("utf-8", "replace").decode()


def _texts(column: Sequence[object]) -> Sequence[str | None]:
    """A column's values as text; most columns hold text already and are left as they are."""
    if {*map(type, column)} <= {str, json_lines.Literal, type(None)}:
        return column  # type: ignore[return-value]
    return [v if v is None or isinstance(v, str) else json_lines.text_of(v) for v in column]
