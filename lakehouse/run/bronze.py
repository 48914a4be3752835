"""Landed objects to typed rows: each line either a row or in quarantine with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakehouse.declare.sources import ChangeRows
from lakehouse.declare.tables import Table
from lakehouse.delta.location import table_uri
from lakehouse.quality.tag import FAILED, tag
from lakehouse.run import difference, frames, plan
from lakehouse.run.accounts import ACCOUNT
from lakehouse.run.build import ContractBroken
from lakehouse.run.received import ACCOUNT_LINE, received

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession

ERROR = "_error"
NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
WRITTEN = {
    "date": r"^\s*\d{4}-\d{1,2}-\d{1,2}([T ]00:00(:00(\.0+)?)?(Z|[+-]00:?00)?)?\s*$",
    "timestamp": r"^\s*\d{4}-\d{1,2}-\d{1,2}([T ].*)?$", "float": NUMBER, "double": NUMBER,
}  # fmt: skip
"""Spark's casts take more: 2026 for the first of January, 10:30 for half past ten today, a day out of a time, NaN and 1d for numbers."""


def _typed(value: SparkColumn, kind: str) -> tuple[SparkColumn, SparkColumn]:
    """The value in its type, and whether that lost nothing."""
    from pyspark.sql import functions as F

    if kind == "string":
        return value, F.lit(True)
    if kind.startswith(("array", "struct", "map")):
        typed = F.from_json(value, kind, {"mode": "PERMISSIVE"})
        return typed, value.isNull() | typed.isNotNull()
    typed = value.try_cast(kind)
    whole = value.isNull() | typed.isNotNull()
    if kind in WRITTEN:
        whole = whole & (value.isNull() | value.rlike(WRITTEN[kind]))
    if kind.startswith("decimal"):
        whole = whole & typed.eqNullSafe(value.try_cast("decimal(38,18)"))
    return typed, whole


def typed(table: Table, lines: DataFrame, run: str, now: str) -> DataFrame:
    """Declared types; a value that does not fit (text for a number, a decimal that would round) makes the line an error."""
    from pyspark.sql import functions as F

    values, reasons = [], []
    for place, column in enumerate(table.columns):
        value, fits = _typed(F.col(f"c{place}"), column.type)
        values.append(value.alias(column.name))
        text = F.concat(F.lit(f"{column.received_as}: '"), F.substring(F.col(f"c{place}"), 1, 100), F.lit(f"' is no {column.type}"))
        reasons.append(F.when(~fits, text))
    if isinstance(table.source, ChangeRows):
        values += [
            F.col("_op"),
            F.col("_sequence").try_cast("bigint").alias("_sequence"),
            F.col("_event_at").try_cast("timestamp").alias("_event_at"),
        ]
        reasons += [
            F.when(F.col(c).try_cast(t).isNull(), F.lit(f"{c} is missing or no {t}"))
            for c, t in (("_sequence", "bigint"), ("_event_at", "timestamp"))
        ]
    assert table.source is not None
    values += [
        F.lit(table.source.name).alias("_source"),
        F.col("_source_file"),
        F.lit(now).cast("timestamp").alias("_ingested_at"),
        F.lit(run).alias("_run_id"),
    ]
    row = F.struct(*[F.col(f"c{n}").alias(c.received_as) for n, c in enumerate(table.columns)])
    if isinstance(table.source, ChangeRows):  # the whole change, as it could be sent again
        change = {"sequence": F.col("_sequence").try_cast("bigint"), "operation": F.col("_op"), "at": F.col("_event_at"), "row": row}
        row = F.struct(*[value.alias(name) for name, value in change.items()])
    raw = F.coalesce(F.col("_raw"), F.to_json(row))
    error = F.coalesce(F.col(ERROR), F.concat_ws("; ", *reasons))
    return lines.select(*values, F.col("_line"), raw.alias("_raw"), F.when(error != "", error).alias(ERROR))


def staged(spark: SparkSession, table: Table, objects: Mapping[str, str], run: str, now: str) -> DataFrame:
    """The staged shape: rows to append, and lines for quarantine with `_line`, `_raw`, `_error`."""
    from pyspark.sql import functions as F

    rows = typed(table, received(spark, table, objects, run), run, now)
    given = rows.drop("_line", "_raw", ERROR)
    out = table.function(given)
    plan.check(table, out, {"landed": given})
    if _adds_nothing(given, out):
        tagged = tag(table, rows, now, {})
        held = F.col(ERROR).isNotNull() | difference.is_diverted(table)
        said = F.col("_line") == ACCOUNT_LINE
        change = F.when(said, F.lit(ACCOUNT)).when(held, F.lit("quarantine")).otherwise(F.lit("upsert"))
        reason = F.coalesce(F.col(ERROR), F.array_join(F.col(FAILED), "; "))
        failed = F.when(F.col(ERROR).isNull(), F.col(FAILED)).otherwise(F.array().cast("array<string>"))
        shaped = tagged.withColumn(ERROR, F.when(held, reason)).withColumn(FAILED, failed).withColumn(difference.CHANGE, change)
    else:
        raise ContractBroken(f"{table.name}: a bronze table returns what landed, as received. Work on it in silver.\n  {table.where}")
    flagged = F.when((F.size(FAILED) > 0) & (F.col(difference.CHANGE) == "upsert"), 1).otherwise(0)
    live = F.when(F.col(difference.CHANGE) == "upsert", 1).otherwise(0)
    return shaped.select(
        *frames.stored(table), FAILED, difference.CHANGE, F.lit(1).cast("bigint").alias(difference.COPIES), F.lit(1).alias("_is_new"),
        F.lit(0).alias("_old_live"), F.lit(0).alias("_old_flagged"), live.alias("_new_live"), flagged.alias("_new_flagged"),
        F.when(F.col(difference.CHANGE) != "upsert", F.col("_raw")).alias("_raw"), "_line", ERROR,
    )  # fmt: skip


def _adds_nothing(given: DataFrame, out: DataFrame) -> bool:
    return plan.plan_id(given) == plan.plan_id(out)


def evolved(spark: SparkSession, table: Table) -> None:
    """Columns that the contract names since: added to the table; what they held in landed objects is taken again."""
    uri = table_uri(table)
    there = {f.name: f.dataType.simpleString() for f in spark.read.format("delta").load(uri).schema.fields}
    wanted = frames.stored(table)
    retyped = [f"'{n}' is {there[n]} in the table, declared {t}" for n, t in wanted.items() if n in there and there[n] != t]
    if retyped:
        raise ContractBroken(
            f"{table.name}: {'; '.join(retyped)}. What landed stays in the type it was taken in: declare a further column with the same "
            f"received_as, or give the new type to a new table.\n  {table.where}"
        )
    new = [f"`{n}` {t}" for n, t in wanted.items() if n not in there]
    if new:
        spark.sql(f"ALTER TABLE delta.`{uri}` ADD COLUMNS ({', '.join(new)})").collect()


def gone(spark: SparkSession, table: Table, names: frozenset[str], now: str) -> tuple[int, int]:
    """Rows that the table holds of objects about to be restated, and how many of them are flagged."""
    from pyspark.sql import functions as F

    rows = spark.read.format("delta").load(table_uri(table)).where(F.col("_source_file").isin(sorted(names)))
    counted = tag(table, rows, now, {}).agg(F.count(F.lit(1)), F.count_if(F.size(FAILED) > 0)).collect()[0]
    return int(counted[0]), int(counted[1])


def held_back(stage_rows: DataFrame, run: str, number: int, now: str) -> DataFrame:
    """Quarantined lines in the quarantine's shape."""
    from pyspark.sql import functions as F

    from lakehouse.run.quarantine import stamped

    shaped = stage_rows.select(
        F.concat_ws(":", "_source_file", F.col("_line").cast("string")).alias("row_key"), F.lit(None).cast("string").alias("row_group"),
        F.col(ERROR).alias("reason"), F.col("_raw").alias("row"), F.col("_source_file").alias("source_file"), F.col("_line").alias("line"),
    )  # fmt: skip
    return stamped(shaped, run, number, now)
