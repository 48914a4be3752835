"""Parquet files as batches of text: row group by row group, each column at once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

from lakehouse.sources.delimited import places
from lakehouse.sources.json_lines import text_of
from lakehouse.sources.packed import Open, content
from lakehouse.sources.received import RAW_LIMIT, Names, ObjectRefused

ROWS_AT_ONCE = 20_000


def batches(open_stream: Open, name: str, names: Names) -> Iterator[tuple[list[Any], Any, Any, Any]]:
    """Arrays of the declared columns as text, then those of `_raw`, `_error` and `_line`. Raises ObjectRefused before the first."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with tempfile.TemporaryFile() as file:
        for piece in content(open_stream, name):
            file.write(piece)
        file.seek(0)
        try:
            whole = pq.ParquetFile(file, page_checksum_verification=True)
            found = places(tuple(whole.schema_arrow.names), names)
            count = 0
            for batch in whole.iter_batches(ROWS_AT_ONCE):  # everything once: a damaged file must not give its first half
                batch.validate(full=True)
                count += batch.num_rows
            if count != whole.metadata.num_rows:
                raise ObjectRefused(
                    f"the Parquet file is damaged (it says {whole.metadata.num_rows} rows and holds {count}). Deliver it again."
                )
            line = 1
            wanted = sorted({whole.schema_arrow.names[p] for p in found if p is not None})
            for batch in whole.iter_batches(ROWS_AT_ONCE, columns=wanted):
                at = {n: i for i, n in enumerate(batch.schema.names)}
                received = [None if p is None else batch.column(at[whole.schema_arrow.names[p]]) for p in found]
                arrays = [pa.nulls(batch.num_rows, pa.string()) if a is None else as_text(a) for a in received]
                yield (*_checked(arrays), pa.array(range(line, line + batch.num_rows), pa.int64()))
                line += batch.num_rows
        except (pa.ArrowException, OSError, UnicodeDecodeError) as damaged:
            if isinstance(damaged, ConnectionError | TimeoutError):
                raise
            raise ObjectRefused(f"the Parquet file is damaged ({str(damaged).splitlines()[0][:200]}). Deliver it again.") from None


def as_text(array: Any) -> Any:
    """A column as text: numbers without loss, times in ISO 8601 (UTC where they have a zone), nested values and bytes as JSON."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return array.cast(pa.string())
    if pa.types.is_timestamp(kind):
        text = pc.strftime(array.cast(pa.timestamp("us", "UTC" if kind.tz else None), safe=False), "%Y-%m-%d %H:%M:%S")
        return pc.binary_join_element_wise(text, "Z", "") if kind.tz else text
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_date(kind) or pa.types.is_decimal(kind):
        return (array.cast(pa.date32()) if pa.types.is_date(kind) else array).cast(pa.string())
    return pa.array([None if v is None else _plain(v) for v in array.to_pylist()], pa.string())


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, str) else text_of(_json(value))


def _json(value: Any) -> Any:
    """Nested values as JSON has them."""
    if isinstance(value, dict):
        return {str(k): _json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_json(v) for v in value]
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, str | bool) or value is None else repr(value) if isinstance(value, float) else str(value)


def _checked(arrays: list[Any]) -> tuple[list[Any], Any, Any]:
    """Rows with a NUL character are none; their text is kept with the reason."""
    import pyarrow as pa
    import pyarrow.compute as pc

    count = len(arrays[0]) if arrays else 0
    nul = [pc.fill_null(pc.match_substring(a, "\0"), False) for a in arrays]
    broken = nul[0] if nul else pa.array([False] * count)
    for each in nul[1:]:
        broken = pc.or_(broken, each)
    if not pc.any(broken).as_py():
        return arrays, pa.nulls(count, pa.string()), pa.nulls(count, pa.string())
    none = pa.scalar(None, pa.string())
    raw = [
        "\t".join(a[i].as_py() or "" for a in arrays)[:RAW_LIMIT].replace("\0", "␀") if bad else None
        for i, bad in enumerate(broken.to_pylist())
    ]
    error = pc.if_else(broken, pa.scalar("a NUL character in the row", pa.string()), none)
    return [pc.if_else(broken, none, a) for a in arrays], pa.array(raw, pa.string()), error
