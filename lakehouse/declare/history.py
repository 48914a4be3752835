"""Type 2 history: ordered changes of a thing turned into intervals of validity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def history(
    changes: DataFrame,
    *,
    key: str,
    tracked: Sequence[str],
    at: str = "_event_at",
    order: str = "_sequence",
    deleted_when: str = "_op = 'delete'",
) -> DataFrame:
    """One row per interval in which `tracked` stayed the same, with `valid_from`, `valid_to` (null: still) and `is_current`.

    Changes are taken in the order of `order`; a repeated delivery counts once, a change that alters nothing tracked
    makes no interval, of several at one moment the last holds, a deletion closes the last interval. Needs whole
    groups of `key`: annotate the input `Touched[key]`. (Kimball, type 2 slowly changing dimension.)
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    ordered = Window.partitionBy(key).orderBy(order)
    state = F.to_json(F.struct(F.expr(deleted_when).alias("_gone"), *tracked))
    once = changes.dropDuplicates([key, order])
    last_of_moment = once.withColumn("_next_at", F.lead(at).over(ordered)).where(f"_next_at IS NULL OR _next_at > {at}")
    moved = last_of_moment.withColumn("_state", state).withColumn("_before", F.lag("_state").over(ordered))
    steps = moved.where("_before IS NULL OR _before <> _state").withColumn("valid_to", F.lead(at).over(ordered))
    return steps.where(f"NOT ({deleted_when})").select(
        key, *tracked, F.col(at).alias("valid_from"), "valid_to", F.col("valid_to").isNull().alias("is_current")
    )
