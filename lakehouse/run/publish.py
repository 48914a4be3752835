"""Make staged rows the table's: one Delta commit, compared and swapped, and the log read again to see whose it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.declare.tables import Table
from lakehouse.delta.location import table_uri
from lakehouse.delta.log import APP, DeltaLog
from lakehouse.errors import LakehouseError
from lakehouse.run.difference import CHANGE
from lakehouse.run.frames import stored, with_statistics
from lakehouse.run.stage import Staged
from lakehouse.run.state import State

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SETTINGS = {
    "app": "spark.databricks.delta.write.txnAppId",
    "number": "spark.databricks.delta.write.txnVersion",
    "metadata": "spark.databricks.delta.commitInfo.userMetadata",
}


class Overtaken(LakehouseError):
    """Another run published first: resolve anew."""


def create(spark: SparkSession, table: Table) -> str:
    """Create the empty table where there is none; returns its id, whoever was first."""
    from pyspark.errors import PySparkException

    uri = table_uri(table)
    known = DeltaLog(uri)
    if known.version is not None and known.id is not None:
        return known.id
    columns = ", ".join(f"`{n}` {t}" for n, t in stored(table).items())
    properties = {
        "delta.enableChangeDataFeed": "true",
        "delta.enableDeletionVectors": "false",
        "delta.logRetentionDuration": "interval 400 days",
        "delta.dataSkippingStatsColumns": ",".join(with_statistics(table)),
    }
    # CREATE TABLE IF NOT EXISTS takes whatever lies in the folder for a table, also what a creation that was cut short left there
    writer = spark.createDataFrame([], columns).write.format("delta").mode("append").options(**properties)
    try:
        writer.partitionBy(*table.partitioned_by).save(uri)
    except PySparkException as error:
        if "CONCURRENT" not in str(error).upper():
            raise
    table_id = DeltaLog(uri).id
    if table_id is None:
        raise LakehouseError(f"{table.name}: {uri} was created but has no log. Is the store reachable and the bucket there?")
    return table_id


def publish(
    spark: SparkSession, table: Table, staged: Staged, state: State, number: int, *, overwrite: bool = False,
    restated: frozenset[str] = frozenset(),
) -> int:  # fmt: skip
    """Commit the staged difference under `number`; returns the version. Raises Overtaken where another run was first.

    restated: landed objects whose earlier rows the same commit takes away (bronze).
    """
    from pyspark.errors import PySparkException

    uri = table_uri(table)
    try:
        if overwrite:
            _write(spark, staged, table, state, number, "overwrite")
        elif restated:
            _restate(spark, staged, table, state, number, restated)
        elif staged.only_adds or not staged.count("upsert") + staged.count("delete"):
            _write(spark, staged, table, state, number, "append")
        else:
            _merge(spark, staged, table, state, number)
    except PySparkException as error:
        if "CONCURRENT" in str(error).upper():
            raise Overtaken(f"{table.name}: another commit came first") from error
        raise
    newest = DeltaLog(uri).newest_that_counts()
    if newest is None or newest.number != number or (newest.metadata or {}).get("run") != state.run:
        raise Overtaken(f"{table.name}: number {number} was taken by another run")
    return newest.version


def _write(spark: SparkSession, staged: Staged, table: Table, state: State, number: int, mode: str) -> None:
    rows = staged.read(spark, "upsert")
    if not staged.count("upsert"):
        rows = rows.limit(0)  # still a commit, so that what was consumed is recorded
    writer = rows.select(*stored(table)).write.format("delta").mode(mode)
    if mode == "overwrite":
        writer = writer.option("overwriteSchema", "true")
    writer.option("txnAppId", APP).option("txnVersion", number).option("userMetadata", state.to_json()).save(table_uri(table))


def _restate(spark: SparkSession, staged: Staged, table: Table, state: State, number: int, names: frozenset[str]) -> None:
    """Rows of the objects out and all staged rows in, those of other objects too: one commit."""
    listed = ", ".join("'" + n.replace("\\", "\\\\").replace("'", "\\'") + "'" for n in sorted(names))
    check = "spark.databricks.delta.replaceWhere.constraintCheck.enabled"
    spark.conf.set(check, "false")
    try:
        rows = staged.read(spark, "upsert").select(*stored(table))
        writer = rows.write.format("delta").mode("overwrite").option("replaceWhere", f"_source_file IN ({listed})")
        writer.option("txnAppId", APP).option("txnVersion", number).option("userMetadata", state.to_json()).save(table_uri(table))
    finally:
        spark.conf.unset(check)


def _merge(spark: SparkSession, staged: Staged, table: Table, state: State, number: int) -> None:
    columns = list(stored(table))
    staged.read(spark, "upsert", "delete").select(*columns, CHANGE).createOrReplaceTempView("staged_difference")
    on = " AND ".join(f"t.`{k}` = s.`{k}`" for k in table.key)
    near = "".join(f" AND t.`{k}` BETWEEN {low} AND {high}" for k, (low, high) in staged.ends.items())  # other files are not read
    sets = ", ".join(f"t.`{c}` = s.`{c}`" for c in columns)
    names, values = ", ".join(f"`{c}`" for c in columns), ", ".join(f"s.`{c}`" for c in columns)
    clauses = [  # one that is not needed costs: rows to insert make the join a full outer one, over every row of the files touched
        *([f"WHEN MATCHED AND s.{CHANGE} = 'delete' THEN DELETE"] if staged.count("delete") else []),
        *([f"WHEN MATCHED THEN UPDATE SET {sets}"] if staged.count("upsert") > staged.inserts else []),
        *([f"WHEN NOT MATCHED AND s.{CHANGE} = 'upsert' THEN INSERT ({names}) VALUES ({values})"] if staged.inserts else []),
    ]
    for name, value in (("app", APP), ("number", str(number)), ("metadata", state.to_json())):
        spark.conf.set(_SETTINGS[name], value)
    try:
        spark.sql(
            f"MERGE INTO delta.`{table_uri(table)}` t USING staged_difference s ON {on}{near} {' '.join(clauses)}"
        ).collect()
    finally:
        for name in _SETTINGS.values():
            spark.conf.unset(name)
