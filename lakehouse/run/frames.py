"""Data frames of a run: inputs at their pinned versions, their change feeds, and the table's own rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

from lakehouse.declare.tables import Table
from lakehouse.delta.location import table_uri
from lakehouse.run.resolve import Range

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession

FLAGS, DELETED = "_flags", "_deleted"
"""Hidden columns above bronze: level 2 rules the row fails, and whether it is a tombstone."""
LINEAGE = {"_source_file": "string", "_ingested_at": "timestamp", "_run_id": "string"}
CHANGE_ROW = {"_op": "string", "_sequence": "bigint", "_event_at": "timestamp", "_source": "string"}


def hidden(table: Table) -> dict[str, str]:
    """Columns stored beside those declared, and their types."""
    from lakehouse.declare.sources import ChangeRows

    if table.layer == "bronze":
        return {**(CHANGE_ROW if isinstance(table.source, ChangeRows) else {"_source": "string"}), **LINEAGE}
    declared = {c.name for c in table.columns}
    order = {table.latest_by: "bigint"} if table.latest_by and table.latest_by not in declared else {}
    return {**order, FLAGS: "array<string>", **({DELETED: "boolean"} if table.deleted_when else {})}


def stored(table: Table) -> dict[str, str]:
    """All columns of the Delta table, in order, with their types."""
    return {**{c.name: c.type for c in table.columns}, **hidden(table)}


WITHOUT_STATISTICS = ("boolean", "binary", "array", "struct", "map")
"""Types for which Delta keeps no minimum and maximum."""


def with_statistics(table: Table) -> list[str]:
    """Columns whose minimum and maximum may stand in the log: nothing that tells of a person."""
    told = [c for c in table.columns if c.sensitivity in ("public", "internal") and c.name not in table.partitioned_by]
    open_ = [c.name for c in told if not c.type.startswith(WITHOUT_STATISTICS)]
    lineage = [n for n, t in hidden(table).items() if t in ("bigint", "timestamp")]
    return [*open_, *lineage][:32]


def visible(table: Table, frame: DataFrame) -> DataFrame:
    """Rows as readers see them: no tombstones, and above bronze no hidden columns."""
    from pyspark.sql import functions as F

    if table.layer == "bronze":
        return frame
    live = frame.where(f"NOT {DELETED}") if table.deleted_when else frame
    return live.select(*[F.col(c.name) for c in table.columns])


def at_version(spark: SparkSession, table: Table, version: int) -> DataFrame:
    """All stored rows at a version."""
    return spark.read.format("delta").option("versionAsOf", version).load(table_uri(table))


def snapshot(spark: SparkSession, table: Table, version: int) -> DataFrame:
    """An input as its readers see it, at a version."""
    return visible(table, at_version(spark, table, version))


def feed(spark: SparkSession, table: Table, moved: Range) -> DataFrame:
    """Changes in (after, until] with `_change_type`, `_commit_version`; tombstones left out, so that a deletion is a lost pre-image."""
    changes = (
        spark.read.format("delta")
        .option("readChangeFeed", "true")
        .option("startingVersion", moved.after + 1)
        .option("endingVersion", moved.until)
        .load(table_uri(table))
    )
    return changes.where(f"NOT {DELETED}") if table.layer != "bronze" and table.deleted_when else changes


def post_images(table: Table, changes: DataFrame) -> DataFrame:
    """The last state of each key that still has one; for bronze (no key) every row that came or was corrected by hand."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    if not table.key:
        return changes.where("_change_type IN ('insert', 'update_postimage')").drop("_change_type", "_commit_version", "_commit_timestamp")
    is_post = F.col("_change_type").isin("insert", "update_postimage")
    newest = Window.partitionBy(*table.key).orderBy(F.desc("_commit_version"), F.desc(is_post.cast("int")))
    last = changes.withColumn("_place", F.row_number().over(newest)).where("_place = 1").where(is_post)
    return last.select(*[F.col(c.name) for c in table.columns])


def pre_images(table: Table, changes: DataFrame) -> DataFrame:
    """Every state that rows had before a change took it away."""
    gone = changes.where("_change_type IN ('delete', 'update_preimage')")
    if not table.key:
        return gone.drop("_change_type", "_commit_version", "_commit_timestamp")
    from pyspark.sql import functions as F

    return gone.select(*[F.col(c.name) for c in table.columns])


SMALL = 48 * 2**20
"""Feeds below this many bytes are sent to every task rather than shuffled with the target."""


def small(frame: DataFrame, size: int) -> DataFrame:
    """The frame, marked to be broadcast where its source is small."""
    from pyspark.sql import functions as F

    return F.broadcast(frame) if size < SMALL else frame


def matched(left: DataFrame, right: DataFrame, columns: Sequence[str], how: str) -> DataFrame:
    """A join by column names, null equal to null; the right side's columns are renamed, so self-joins are never ambiguous."""
    from pyspark.sql import functions as F

    keys = right.select(*[F.col(c).alias(f"_right_{c}") for c in columns])
    return left.join(keys, _agree(columns), how)


def _agree(columns: Sequence[str]) -> SparkColumn:
    from pyspark.sql import functions as F

    return reduce(lambda a, b: a & b, [F.col(c).eqNullSafe(F.col(f"_right_{c}")) for c in columns])


def semi(left: DataFrame, right: DataFrame, columns: Sequence[str], size: int = SMALL) -> DataFrame:
    """Rows of `left` whose columns occur in `right`, nulls included."""
    return matched(left, small(right, size), columns, "left_semi")


RANGED = ("tinyint", "smallint", "int", "bigint", "date", "string")
"""Types whose smallest and largest value are compared with a file's statistics."""


def within(target: DataFrame, keys: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Rows of `target` from the smallest of `keys` to the largest, nulls where they have some: other files are not read."""
    from pyspark.sql import functions as F

    ranged = [f.name for f in keys.select(*columns).schema.fields if f.dataType.simpleString() in RANGED]
    ends = [(F.min(c), F.max(c), F.count_if(F.col(c).isNull())) for c in ranged]
    found = iter(keys.agg(F.lit(0), *[end for three in ends for end in three]).collect()[0][1:])
    for column, (low, high, nulls) in zip(ranged, zip(found, found, found, strict=True), strict=True):
        inside = F.lit(False) if low is None else F.col(column).between(low, high)
        target = target.where(inside | F.col(column).isNull() if nulls else inside)
    return target


def anti(left: DataFrame, right: DataFrame, columns: Sequence[str], size: int = SMALL) -> DataFrame:
    """Rows of `left` whose columns do not occur in `right`, nulls included."""
    return matched(left, small(right, size), columns, "left_anti")
