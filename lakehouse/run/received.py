"""Lines of landed objects as a data frame of text: read here where they are few, on Spark's workers where they are many."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse import storage
from lakehouse.declare.sources import ChangeRows, Source
from lakehouse.declare.tables import Table
from lakehouse.delta.location import staged_uri
from lakehouse.run import corrections
from lakehouse.run.corrections import is_correction
from lakehouse.settings import settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FEW_BYTES = 8 * 2**20
"""Up to this size (as stored) a run reads by itself: starting a Python worker on the server costs 4 CPU-seconds."""
ACCOUNT_LINE = -1
OBJECTS_A_TASK = 64


def received(spark: SparkSession, table: Table, objects: Mapping[str, str], run: str) -> DataFrame:
    """Every line of the objects as text columns `c0`…, with `_line`, `_raw`, `_error`, `_source_file`.

    A further row for each object, `_line` -1, says in `_raw` (JSON) how many lines its reader counted and what it found.
    """
    assert table.source is not None
    columns = tuple(c.received_as for c in table.columns)
    size = sum(int(identity.split(":")[1]) for identity in objects.values())
    if size <= FEW_BYTES:
        return _here(spark, table, columns, sorted(objects), run)
    return _on_workers(spark, table.source, columns, sorted(objects))


def _labels(source: Source, columns: Sequence[str]) -> list[str]:
    extra = ("_op", "_sequence", "_event_at") if isinstance(source, ChangeRows) else ()
    return [*extra, *(f"c{n}" for n in range(len(columns)))]


def _batches(source: Source, columns: tuple[str, ...], landing: str, names: Sequence[str], taken: frozenset[str]) -> Iterator[Any]:
    """Record batches of objects, one after the other, in bounded memory."""
    from lakehouse.sources.read import findings, read_object

    corrected = [n for n in names if is_correction(n)]
    for name in names:
        if name in corrected:
            continue
        count, said = 0, {}
        for rows in read_object(source, columns, opener(landing, name), name):
            if rows.num_rows:
                yield _of(rows, name)
            count, said = count + rows.num_rows, findings(rows)
        yield _account(_labels(source, columns), name, {"received": count, **said})
    if corrected:
        yield from _corrected(source, columns, corrected, taken, landing)


def opener(landing: str, name: str) -> Callable[[], Any]:
    """Opens an object of landing, as often as it is asked."""
    bucket, key = storage.split(f"{landing}/{name}")
    return lambda: storage.client().get_object(Bucket=bucket, Key=key)["Body"]


def count_lines(table: Table, name: str) -> int:
    """Lines of one object as its reader counts them."""
    from lakehouse.sources.read import read_object

    assert table.source is not None
    columns = tuple(c.received_as for c in table.columns)
    return sum(rows.num_rows for rows in read_object(table.source, columns, opener(settings().landing, name), name))


def _corrected(
    source: Source, columns: tuple[str, ...], names: Sequence[str], taken: frozenset[str], landing: str
) -> Iterator[Any]:  # fmt: skip
    """Corrected lines under the names of the objects they came from; those of objects taken anew are spent."""
    counts: Counter[str] = Counter()
    for file, rows in corrections.batches(source, columns, [c for c in corrections.first(names, landing) if c.source_file not in taken]):
        counts[file] += rows.num_rows
        yield _of(rows, file)
    for file, count in counts.items():
        yield _account(_labels(source, columns), file, {"received": count})


def _of(rows: Any, name: str) -> Any:
    import pyarrow as pa

    file = pa.array([name] * rows.num_rows, pa.string())
    return pa.RecordBatch.from_arrays([*rows.columns, file], names=[*rows.schema.names, "_source_file"])


def _account(labels: Sequence[str], name: str, said: Mapping[str, Any]) -> Any:
    import pyarrow as pa

    texts = {**dict.fromkeys(labels), "_raw": json.dumps(said), "_error": None, "_source_file": name}
    fields = [*labels, "_line", "_raw", "_error", "_source_file"]
    return pa.RecordBatch.from_arrays(
        [pa.array([ACCOUNT_LINE], pa.int64()) if f == "_line" else pa.array([texts[f]], pa.string()) for f in fields], names=fields
    )


def _here(spark: SparkSession, table: Table, columns: tuple[str, ...], names: Sequence[str], run: str) -> DataFrame:
    """Read in this process into one Parquet object beside the staged rows, swept with them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    assert table.source is not None
    fields = [(label, pa.string()) for label in _labels(table.source, columns)]
    schema = pa.schema([*fields, ("_line", pa.int64()), ("_raw", pa.string()), ("_error", pa.string()), ("_source_file", pa.string())])
    uri = staged_uri(table.name, f"{run}-received/part-0.parquet")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "received.parquet")
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in _batches(table.source, columns, settings().landing, names, frozenset(names)):
                writer.write_batch(batch)
        bucket, key = storage.split(uri)
        storage.client().upload_file(str(file), bucket, key)
    return spark.read.parquet(uri)


def _on_workers(spark: SparkSession, source: Source, columns: tuple[str, ...], names: Sequence[str]) -> DataFrame:
    """Read on Spark's Python workers, some objects a task."""
    landing = settings().landing
    texts = (f"{label} string" for label in _labels(source, columns))
    schema = ", ".join([*texts, "_line bigint, _raw string, _error string, _source_file string"])

    def read(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            yield from _batches(source, columns, landing, batch.column("name").to_pylist(), taken)

    taken = frozenset(names)
    listed = spark.createDataFrame([(name,) for name in names], "name string")
    tasks = max(1, min(len(names) // OBJECTS_A_TASK + 2, 64, len(names)))
    return listed.repartition(tasks).mapInArrow(read, schema)
