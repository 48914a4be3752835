"""Rows held back, with the reason: kept equal to what a full run would hold back, committed before the table itself.

One shape for every table: the row as JSON, its key, the reason, where it came from and the run that held it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.declare.tables import Table
from lakehouse.delta.location import quarantine_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.quality.tag import FAILED, ids
from lakehouse.run.compute import Scope
from lakehouse.run.frames import semi
from lakehouse.run.stage import Staged

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession

SHAPE = {
    "quarantine_id": "string", "row_key": "string", "row_group": "string", "reason": "string", "row": "string",
    "source_file": "string", "line": "bigint", "run_id": "string", "run_number": "bigint", "quarantined_at": "timestamp",
}  # fmt: skip


def held_back(table: Table, staged: DataFrame, run: str, number: int, now: str) -> DataFrame:
    """Staged rows in the quarantine's shape."""
    from pyspark.sql import functions as F

    columns = [c.name for c in table.columns]
    moving = [F.lit(i) for i in ids(table, "quarantine")]
    reason = F.array_join(F.array_intersect(F.col(FAILED), F.array(*moving)), "; ")
    shaped = staged.select(
        F.to_json(F.struct(*table.key)).alias("row_key"), _group(table).alias("row_group"), reason.alias("reason"),
        F.to_json(F.struct(*columns)).alias("row"), F.lit(None).cast("string").alias("source_file"),
        F.lit(None).cast("bigint").alias("line"),
    )  # fmt: skip
    return stamped(shaped, run, number, now)


def _group(table: Table) -> SparkColumn:
    from pyspark.sql import functions as F

    groups = next((i.groups for i in table.inputs if i.mode == "touched"), ("as_of_date",) if table.as_of else ())
    return F.to_json(F.struct(*groups)) if groups else F.lit(None).cast("string")


def stamped(shaped: DataFrame, run: str, number: int, now: str) -> DataFrame:
    """Add the identity (by content: holding a row back twice changes nothing) and the run."""
    from pyspark.sql import functions as F

    identity = F.sha2(F.concat_ws("\u0001", "row_key", "reason", "row", "source_file", F.col("line").cast("string")), 256)
    return (
        shaped.withColumn("quarantine_id", identity)
        .dropDuplicates(["quarantine_id"])
        .withColumn("run_id", F.lit(run))
        .withColumn("run_number", F.lit(number).cast("bigint"))
        .withColumn("quarantined_at", F.lit(now).cast("timestamp"))
        .select(*SHAPE)
    )


def divert(spark: SparkSession, table: Table, staged: Staged, scope: Scope | None, run: str, number: int, now: str) -> None:
    """Bring the quarantine in line: rows of this run in, rows in its scope that no longer fail out."""
    if not ids(table, "quarantine"):
        return
    there = DeltaLog(quarantine_uri(table.name)).version is not None
    if not there and not staged.count("quarantine"):
        return
    create(spark, table.name)
    held = held_back(table, staged.read(spark, "quarantine"), run, number, now)
    known = spark.read.format("delta").load(quarantine_uri(table.name))
    gone = known.limit(0) if scope is None else _reach(table, known, scope)
    gone = gone.join(held.select("quarantine_id"), "quarantine_id", "left_anti")
    merge(spark, table.name, held, gone)


def _reach(table: Table, known: DataFrame, scope: Scope) -> DataFrame:
    from pyspark.sql import functions as F

    if scope.values is None:
        return known
    column = "row_key" if scope.columns == table.key else "row_group"
    values = scope.values.select(F.to_json(F.struct(*scope.columns)).alias(column)).distinct()
    return semi(known, values, [column])


def merge(spark: SparkSession, name: str, put: DataFrame, drop: DataFrame | None = None) -> None:
    """One MERGE by content: the same rows twice change nothing; an unpublished run's rows pass to the run that repeats it."""
    from pyspark.sql import functions as F

    source = put.withColumn("_drop", F.lit(False))
    if drop is not None:
        drop = drop.join(put.select("quarantine_id"), "quarantine_id", "left_anti")
        source = source.unionByName(drop.select(*SHAPE).withColumn("_drop", F.lit(True)))
    source.createOrReplaceTempView("held_back")
    names = ", ".join(SHAPE)
    values = ", ".join(f"s.{n}" for n in SHAPE)
    spark.sql(
        f"MERGE INTO delta.`{quarantine_uri(name)}` t USING held_back s ON t.quarantine_id = s.quarantine_id "
        "WHEN MATCHED AND s._drop THEN DELETE "
        "WHEN MATCHED AND t.run_number >= s.run_number THEN UPDATE SET t.run_id = s.run_id, t.run_number = s.run_number "
        f"WHEN NOT MATCHED AND NOT s._drop THEN INSERT ({names}) VALUES ({values})"
    ).collect()


def create(spark: SparkSession, name: str) -> None:
    """The quarantine of a table, where there is none."""
    columns = ", ".join(f"{n} {t}" for n, t in SHAPE.items())
    spark.sql(
        f"CREATE TABLE IF NOT EXISTS delta.`{quarantine_uri(name)}` ({columns}) USING delta TBLPROPERTIES "
        "('delta.dataSkippingStatsColumns' = 'run_number,quarantined_at', 'delta.enableDeletionVectors' = 'false')"
    )
