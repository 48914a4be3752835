"""What became of rows that left a bronze table's quarantine: put right, taken again or given up; by whom and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lakehouse.declare.tables import Table
from lakehouse.delta.location import handled_uri, quarantine_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.run.quarantine import SHAPE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakehouse.run.ledger import Landing

FURTHER = {"action": "string", "corrected": "string", "handled_by": "string", "handled_at": "string", "handled_run": "string"}
"""Beside the quarantine's columns: "corrected", "restated" or "expired"; the row as landed (or why it was given up); who, when, run."""


def out(spark: SparkSession, table: Table, landing: Landing, run: str, now: str) -> DataFrame | None:
    """Rows that leave the quarantine with this run, written down first: those corrected, and those of objects taken anew."""
    from pyspark.sql import functions as F

    if DeltaLog(quarantine_uri(table.name)).version is None:
        return None
    waiting = spark.read.format("delta").load(quarantine_uri(table.name))
    rows = [(c.quarantine_id, "corrected", c.row, c.by, c.at) for c in landing.corrections if not c.again]
    asked = {c.source_file: c for c in landing.corrections if c.again}
    columns = "quarantine_id string, action string, corrected string, handled_by string, handled_at string"
    done = waiting.join(F.broadcast(spark.createDataFrame(rows, columns)), "quarantine_id") if rows else None
    if landing.replaced:
        objects = [
            (n, "restated", None, asked[n].by if n in asked else "a new delivery", asked[n].at if n in asked else now)
            for n in sorted(landing.replaced)
        ]  # fmt: skip
        again = waiting.join(
            F.broadcast(spark.createDataFrame(objects, columns.replace("quarantine_id", "source_file"))), "source_file"
        )
        done = again if done is None else done.unionByName(again)
    if done is None:
        return None
    keep(spark, table.name, done.withColumn("handled_run", F.lit(run)))
    return done.select(*SHAPE)


def keep(spark: SparkSession, name: str, rows: DataFrame) -> None:
    """Write down what became of rows, each once."""
    columns = {**SHAPE, **FURTHER}
    spark.sql(
        f"CREATE TABLE IF NOT EXISTS delta.`{handled_uri(name)}` ({', '.join(f'{n} {t}' for n, t in columns.items())}) USING delta "
        "TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'run_number,quarantined_at', 'delta.enableDeletionVectors' = 'false')"
    )
    rows.select(*columns).createOrReplaceTempView("handled_now")
    names = ", ".join(columns)
    values = ", ".join(f"s.{n}" for n in columns)
    spark.sql(
        f"MERGE INTO delta.`{handled_uri(name)}` t USING handled_now s ON t.quarantine_id = s.quarantine_id AND t.action = s.action "
        f"AND t.handled_at = s.handled_at WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})"
    ).collect()


def expire(spark: SparkSession, name: str, ids: Sequence[str], by: str, at: str, why: str) -> None:
    """Give rows up: out of the quarantine, and written down with the reason."""
    from pyspark.sql import functions as F

    from lakehouse.run.quarantine import merge

    waiting = spark.read.format("delta").load(quarantine_uri(name))
    gone = waiting.join(F.broadcast(spark.createDataFrame([(i,) for i in ids], "quarantine_id string")), "quarantine_id")
    said: dict[str, Any] = {"action": "expired", "corrected": why, "handled_by": by, "handled_at": at, "handled_run": None}
    keep(spark, name, gone.withColumns({n: F.lit(v).cast("string") for n, v in said.items()}))
    merge(spark, name, gone.limit(0).select(*SHAPE), gone.select(*SHAPE))
