"""Objects of landing as Arrow batches of text: what bronze is made of, in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from lakehouse.declare.sources import AccessLog, ChangeRows, Csv, Excel, Files, Json, JsonLines, Parquet, Source
from lakehouse.errors import LakehouseError
from lakehouse.sources import access_log, change_rows, columnar, delimited, json_document, json_lines, references, spreadsheet
from lakehouse.sources.objects import Meter, Open, content_hash, pieces_as_utf8, text_of
from lakehouse.sources.received import RAW_LIMIT, Items, Names, ObjectRefused, Row, Unreadable

__all__ = ["content_hash", "findings", "read_object", "unknown_columns"]

CHUNK_BYTES = 8 << 20
CHANGE_COLUMNS = ("_op", "_sequence", "_event_at")
FINDINGS = b"findings"


def read_object(source: Source, columns: Sequence[str], open_stream: Open, name: str, chunk_rows: int = 5_000) -> Iterator[Any]:
    """Record batches of one object: `columns` (names as received) as `c0`…, text, null where absent.

    Change rows have `_op`, `_sequence`, `_event_at` before them; after them come `_line` (bigint, from 1),
    `_raw` and `_error`, both null where the line is readable. Numbers keep their literal, nested values are
    JSON text. An object of which nothing may be taken gives one row, `_line` 0, with the reason. What the last
    batch's `findings(batch)` say holds for the object.
    """
    names = Names(tuple(columns), drift=source.drift)
    of_change = CHANGE_COLUMNS if isinstance(source, ChangeRows) else ()
    labels = [*of_change, *(f"c{i}" for i in range(len(columns)))]
    if isinstance(source, Parquet):
        yield from _columnar(labels, names, open_stream, name)
        return
    meter = Meter()
    for chunk in _chunks(_items(source, names, open_stream, name, meter), chunk_rows, meter):
        yield _batch(labels, chunk, names)


def findings(batch: Any) -> dict[str, Any]:
    """What was met in the object up to this batch: `unknown` names, accepted spellings (`respelled`), declared names `missing` so far."""
    metadata = batch.schema.metadata or {}
    return dict(json.loads(metadata.get(FINDINGS, b"{}")))


def unknown_columns(batch: Any) -> list[str]:
    """Names met in the object up to this batch which no column is received as."""
    return list(findings(batch).get("unknown", []))


def _items(source: Source, names: Names, open_stream: Open, name: str, meter: Meter) -> Items:
    try:
        if isinstance(source, ChangeRows):
            yield from change_rows.rows(text_of(open_stream, name, meter), names)
        elif isinstance(source, JsonLines):
            yield from json_lines.rows(text_of(open_stream, name, meter, source.encoding), names)
        elif isinstance(source, Json):
            encoding = source.encoding
            yield from json_document.rows(lambda: pieces_as_utf8(open_stream, name, meter, encoding), names, source.records)
        elif isinstance(source, Csv):
            yield from delimited.rows(text_of(open_stream, name, meter, source.encoding), names, source.delimiter, source.header)
        elif isinstance(source, Excel):
            yield from spreadsheet.rows(open_stream, name, names, source.sheet, source.header)
        elif isinstance(source, AccessLog):
            yield from access_log.rows(text_of(open_stream, name, meter, source.encoding), names)
        elif isinstance(source, Files):
            yield from references.rows(open_stream, name, names, source.types)
        else:
            valid = "JsonLines(…), Json(…), Csv(…), Excel(…), Parquet(…), ChangeRows(…), AccessLog(…), Files(…)"
            raise LakehouseError(f"{source!r} has no reader. Valid: {valid}.")
    except ObjectRefused as refused:
        yield Unreadable(0, "", str(refused))


def _columnar(labels: Sequence[str], names: Names, open_stream: Open, name: str) -> Iterator[Any]:
    import pyarrow as pa

    try:
        for arrays, raw, error, line in columnar.batches(open_stream, name, names):
            yield pa.RecordBatch.from_arrays([*arrays, line, raw, error], schema=_schema(labels, names))
    except ObjectRefused as refused:
        yield _batch(labels, [Unreadable(0, "", str(refused))], names)


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


def _batch(labels: Sequence[str], chunk: list[Row | Unreadable], names: Names) -> Any:
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
    return pa.RecordBatch.from_arrays(arrays, schema=_schema(labels, names))


def _schema(labels: Sequence[str], names: Names) -> Any:
    import pyarrow as pa

    kinds = {"_line": pa.int64()}
    found = {"unknown": names.unknown, "missing": names.missing, "respelled": names.respelled}
    fields = [(label, kinds.get(label, pa.string())) for label in (*labels, "_line", "_raw", "_error")]
    return pa.schema(fields, metadata={FINDINGS: json.dumps(found).encode()})


def _shown(text: str) -> str:
    """Text that any table can hold, whatever characters it quotes."""
    return text.replace("\0", "␀").encode("utf-8", "replace").decode()


def _texts(column: Sequence[object]) -> Sequence[str | None]:
    """A column's values as text; most columns hold text already and are left as they are."""
    if {*map(type, column)} <= {str, json_lines.Literal, type(None)}:
        return column  # type: ignore[return-value]
    return [v if v is None or isinstance(v, str) else json_lines.text_of(v) for v in column]
