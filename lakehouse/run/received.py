"""Lines of landed objects as a data frame of text: read here where they are few, on Spark's workers where they are many."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse import storage
from lakehouse.declare.sources import ChangeRows, Source
from lakehouse.declare.tables import Table
from lakehouse.delta.location import staged_uri
from lakehouse.settings import settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FEW_BYTES = 8 * 2**20
"""Up to this size (as stored) a run reads by itself: starting a Python worker on the server costs 4 CPU-seconds."""
OBJECTS_A_TASK = 64


def received(spark: SparkSession, table: Table, objects: Mapping[str, str], run: str) -> DataFrame:
    """Every line of the objects as text columns `c0`…, with `_line`, `_raw`, `_error`, `_source_file`."""
    assert table.source is not None
    columns = tuple(c.received_as for c in table.columns)
    size = sum(int(identity.split(":")[1]) for identity in objects.values())
    if size <= FEW_BYTES:
        return _here(spark, table, columns, sorted(objects), run)
    return _on_workers(spark, table.source, columns, sorted(objects))


def _labels(source: Source, columns: Sequence[str]) -> list[str]:
    extra = ("_op", "_sequence", "_event_at") if isinstance(source, ChangeRows) else ()
    return [*extra, *(f"c{n}" for n in range(len(columns)))]


def _batches(source: Source, columns: tuple[str, ...], landing: str, names: Iterable[str]) -> Iterator[Any]:
    """Record batches of objects, one after the other, in bounded memory."""
    import pyarrow as pa

    from lakehouse.sources.read import read_object

    for name in names:
        bucket, key = storage.split(f"{landing}/{name}")

        def opened(bucket: str = bucket, key: str = key) -> Any:
            return storage.client().get_object(Bucket=bucket, Key=key)["Body"]

        for rows in read_object(source, columns, opened, name):
            if rows.num_rows:
                file = pa.array([name] * rows.num_rows, pa.string())
                yield pa.RecordBatch.from_arrays([*rows.columns, file], names=[*rows.schema.names, "_source_file"])


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
            for batch in _batches(table.source, columns, settings().landing, names):
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
            yield from _batches(source, columns, landing, batch.column("name").to_pylist())

    listed = spark.createDataFrame([(name,) for name in names], "name string")
    tasks = max(1, min(len(names) // OBJECTS_A_TASK + 2, 64, len(names)))
    return listed.repartition(tasks).mapInArrow(read, schema)
