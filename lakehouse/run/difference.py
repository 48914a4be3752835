"""The difference between rows a run computed and rows the table holds: the one thing a run stages and publishes.

A staged row carries `_change`: "upsert", "delete", "quarantine", or "collision" (its key belongs to a row this run
may not touch, so a full build would hold the key twice).
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from lakehouse.declare.tables import Table
from lakehouse.quality.tag import FAILED, ids
from lakehouse.run.frames import DELETED, FLAGS, stored

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame

CHANGE, COPIES, MINE = "_change", "_copies", "_mine"
BOOKKEEPING = {
    CHANGE: "string", COPIES: "bigint", "_is_new": "int", "_old_live": "int", "_old_flagged": "int", "_new_live": "int",
    "_new_flagged": "int",
}  # fmt: skip
"""Staged beside the stored columns and `_failed`."""


def flagged(table: Table, tagged: DataFrame) -> DataFrame:
    """Tagged rows in the stored columns plus `_failed`, with the rules that flag kept in `_flags`."""
    from pyspark.sql import functions as F

    flags = [F.lit(i) for i in ids(table, "flag")]
    kept = F.array_intersect(F.col(FAILED), F.array(*flags)) if flags else F.array().cast("array<string>")
    return tagged.withColumn(FLAGS, F.when(F.size(kept) > 0, kept)).select(*stored(table), FAILED)


def as_stored(table: Table, tagged: DataFrame) -> DataFrame:
    """Tagged output of the function in stored shape plus `_failed`; deletions are turned into tombstones."""
    from pyspark.sql import functions as F

    if not table.deleted_when:
        return flagged(table, tagged)
    tagged = tagged.withColumn(DELETED, F.coalesce(F.expr(table.deleted_when), F.lit(False)))
    kept = {*table.key, table.latest_by}
    emptied = [F.when(~F.col(DELETED), F.col(c.name)).alias(c.name) for c in table.columns if c.name not in kept]
    return flagged(table, tagged.select(*kept, *emptied, DELETED, FAILED))


def is_diverted(table: Table) -> SparkColumn:
    """Whether a row fails a rule that diverts it."""
    from pyspark.sql import functions as F

    diverting = ids(table, "quarantine")
    return F.arrays_overlap(F.col(FAILED), F.array(*[F.lit(i) for i in diverting])) if diverting else F.lit(False)


def newest(table: Table, candidates: DataFrame) -> DataFrame:
    """One row per key: highest `latest_by`, a deletion last among equals, then by content: a total order."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    content = F.to_json(F.struct(*[c.name for c in table.columns]))
    order = [F.desc(table.latest_by), *([F.desc(DELETED)] if table.deleted_when else []), F.desc(content)]
    place = F.row_number().over(Window.partitionBy(*table.key).orderBy(*order))
    return candidates.withColumn("_place", place).where("_place = 1").drop("_place")


def _counted(table: Table, new: DataFrame) -> DataFrame:
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    if table.latest_by:
        return new.withColumn(COPIES, F.lit(1).cast("bigint"))
    return new.withColumn(COPIES, F.count(F.lit(1)).over(Window.partitionBy(*table.key)))


def _live(prefix: str, table: Table) -> SparkColumn:
    from pyspark.sql import functions as F

    there = F.col(f"{prefix}_there").isNotNull()
    live = there & ~F.col(f"{prefix}{DELETED}") if table.deleted_when else there
    return F.coalesce(live, F.lit(False)).cast("int")


def first(table: Table, new: DataFrame) -> DataFrame:
    """The staged shape where the table holds nothing yet, or is overwritten."""
    from pyspark.sql import functions as F

    counted = _counted(table, new)
    live = F.lit(1) if not table.deleted_when else (~F.col(DELETED)).cast("int")
    flagged = F.when(F.col(FLAGS).isNotNull(), live).otherwise(F.lit(0))
    zero = F.lit(0)
    return counted.select(
        *stored(table), FAILED, F.lit("upsert").alias(CHANGE), COPIES, F.lit(1).alias("_is_new"),
        zero.alias("_old_live"), zero.alias("_old_flagged"),
        live.alias("_new_live"), flagged.alias("_new_flagged"),
    )  # fmt: skip


def between(table: Table, new: DataFrame, old: DataFrame) -> DataFrame:
    """Compare `new` rows with the `old` rows they replace: what is only new or differs is upserted, what is only old deleted.

    `old` carries `_mine`: false marks rows outside the run's reach, which stay; a new row of such a key collides.
    """
    from pyspark.sql import functions as F

    columns = list(stored(table))
    n = _counted(table, new).select(*[F.col(c).alias(f"n_{c}") for c in columns], FAILED, COPIES).withColumn("n__there", F.lit(1))
    o = old.select(*[F.col(c).alias(f"o_{c}") for c in columns], F.col(MINE)).withColumn("o__there", F.lit(1))
    on = reduce(lambda a, b: a & b, [F.col(f"n_{k}") == F.col(f"o_{k}") for k in table.key])
    both = n.join(o, on, "full_outer")
    changed = reduce(
        lambda a, b: a | b, [~F.col(f"n_{c}").eqNullSafe(F.col(f"o_{c}")) for c in columns if c not in table.key] or [F.lit(False)]
    )
    change = (
        F.when(F.col("n__there").isNull(), F.when(F.col(MINE), F.lit("delete")).otherwise(F.lit("same")))
        .when(~F.coalesce(F.col(MINE), F.lit(True)), F.lit("collision"))
        .when(F.col("o__there").isNull() | changed | (F.col(COPIES) > 1), F.lit("upsert"))
        .otherwise(F.lit("same"))
    )
    return both.select(
        *[F.when(F.col("n__there").isNull(), F.col(f"o_{c}")).otherwise(F.col(f"n_{c}")).alias(c) for c in columns],
        F.coalesce(F.col(FAILED), F.array().cast("array<string>")).alias(FAILED), change.alias(CHANGE),
        F.coalesce(F.col(COPIES), F.lit(0)).alias(COPIES), F.col("o__there").isNull().cast("int").alias("_is_new"),
        _live("o_", table).alias("_old_live"),
        F.when(F.col(f"o_{FLAGS}").isNotNull(), _live("o_", table)).otherwise(F.lit(0)).alias("_old_flagged"),
        _live("n_", table).alias("_new_live"),
        F.when(F.col(f"n_{FLAGS}").isNotNull(), _live("n_", table)).otherwise(F.lit(0)).alias("_new_flagged"),
    )  # fmt: skip


def diverted(table: Table, tagged: DataFrame) -> DataFrame:
    """The staged shape of rows that go to quarantine."""
    from pyspark.sql import functions as F

    zeros = [F.lit(0).cast(t).alias(n) for n, t in BOOKKEEPING.items() if n != CHANGE]
    return tagged.select(*stored(table), FAILED, F.lit("quarantine").alias(CHANGE), *zeros)
