"""The Delta tables as their readers see them: by Spark SQL, or a few rows without Spark."""

from __future__ import annotations

from typing import Any

from lakehouse.declare.tables import Table
from lakehouse.delta.location import table_uri
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from lakehouse.graph.reads import tables_read
from lakehouse.graph.suggest import did_you_mean

Answer = tuple[list[str], list[tuple[Any, ...]], bool]


def ask(graph: Graph, sql: str, limit: int | None) -> Answer:
    """One SELECT over tables by name; tombstones and hidden columns stay hidden. The last value: whether there is more."""
    from lakehouse.delta.session import open_session
    from lakehouse.run.frames import visible
    from lakehouse.run.live import pinned

    tables = {n: t for n, t in graph.tables.items() if t.kind == "table"}
    read = tables_read(sql)
    unknown = sorted(read - set(tables))
    if unknown:
        raise LakehouseError(f"'{unknown[0]}' is no table of the lake.{did_you_mean(unknown[0], tables)}")
    from pyspark.errors import PySparkException

    with open_session() as spark, pinned(graph, read) as readings:
        for name in read:
            if name in readings:
                readings[name].frame(spark).createOrReplaceTempView(name)
                continue
            _must_exist(tables[name])
            stored = spark.read.format("delta").load(table_uri(tables[name]))
            visible(tables[name], stored).createOrReplaceTempView(name)
        try:
            answer = spark.sql(sql)
            found = (answer if limit is None else answer.limit(limit + 1)).collect()
        except PySparkException as refused:
            raise LakehouseError(f"Spark refuses the query: {_first(refused)}") from None
        more = limit is not None and len(found) > limit
        return list(answer.columns), [tuple(r) for r in found[:limit]], more


def _first(error: Exception) -> str:
    """The message without plan and stack."""
    kept = []
    for line in str(error).splitlines():
        if line.startswith(("JVM stacktrace", "'Project", "'Sort", "'Filter", "'Aggregate")) or line.strip() == ";":
            break
        kept.append(line)
    return "\n".join(kept).strip()


def _must_exist(table: Table) -> None:
    from lakehouse.delta.log import DeltaLog

    if DeltaLog(table_uri(table)).version is None:
        raise LakehouseError(f"{table.name} has no data yet. Run it first: lakehouse run {table.name} --with-upstream")


def dataset(uri: str) -> Any:
    """The rows at an address, for pyarrow; refused where the table uses what this reader would misread."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    from lakehouse.warehouse.lake import storage_options

    try:
        return DeltaTable(uri, storage_options=storage_options()).to_pyarrow_dataset()
    except DeltaError as refused:
        raise LakehouseError(f"{uri} cannot be read without Spark: {refused}") from None


def sample(table: Table, rows: int) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Some live rows, declared columns only."""
    import pyarrow.dataset as ds

    found = dataset(table_uri(table))
    living = ~ds.field("_deleted") if "_deleted" in found.schema.names else None
    columns = [c.name for c in table.columns if c.name in found.schema.names]
    head = found.scanner(columns=columns, filter=living).head(rows)
    return columns, [tuple(row.values()) for row in head.to_pylist()]
