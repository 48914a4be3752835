"""Steps over whole columns: outliers, gaps, currencies. Data frame in, data frame out; what was done to a row stays visible in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LIMIT = 3.5


def with_outliers(frame: DataFrame, column: str, by: Sequence[str] = (), limit: float = LIMIT) -> DataFrame:
    """Adds `<column>_score` and `<column>_is_outlier`: distance from the group's median in robust standard deviations.

    Modified z-score 0.6745 (x − median) / MAD, beyond 3.5 an outlier; where more than half the values are equal (MAD 0), the mean
    absolute deviation takes its place with 0.7979 (Iglewicz & Hoaglin 1993). Groups without spread have none. Needs whole groups.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    group = Window.partitionBy(*(by or [F.lit(1)]))
    value = F.col(column).cast("double")
    away = frame.withColumn("_middle", F.median(value).over(group)).withColumn("_away", F.abs(value - F.col("_middle")))
    spread = away.withColumn("_mad", F.median("_away").over(group)).withColumn("_mean_away", F.avg("_away").over(group))
    score = F.when(F.col("_mad") > 0, 0.6745 * (value - F.col("_middle")) / F.col("_mad")).when(
        F.col("_mean_away") > 0, 0.7979 * (value - F.col("_middle")) / F.col("_mean_away")
    )
    scored = spread.withColumn(f"{column}_score", F.when(value.isNotNull(), F.coalesce(score, F.lit(0.0))))
    flagged = scored.withColumn(f"{column}_is_outlier", F.coalesce(F.abs(F.col(f"{column}_score")) > limit, F.lit(False)))
    return flagged.drop("_middle", "_away", "_mad", "_mean_away")


def imputed(frame: DataFrame, column: str, by: Sequence[str] = (), how: Literal["median", "mode"] = "median") -> DataFrame:
    """Fills gaps with the group's median (numbers) or most frequent value (the least of equals), else with that of all rows.

    `<column>_is_imputed` says where; a column without any value stays empty. Needs whole groups.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    def typical(groups: Sequence[str]) -> DataFrame:
        known = frame.where(F.col(column).isNotNull())
        if how == "median":
            kind = dict(frame.dtypes)[column]
            return known.groupBy(*groups).agg(F.median(F.col(column).cast("double")).cast(kind).alias(f"_of_{len(groups)}"))
        counted = known.groupBy(*groups, column).count()
        place = F.row_number().over(Window.partitionBy(*(groups or [F.lit(1)])).orderBy(F.desc("count"), column))
        chosen = counted.withColumn("_place", place).where("_place = 1")
        return chosen.select(*groups, F.col(column).alias(f"_of_{len(groups)}"))

    found = frame.withColumn(f"{column}_is_imputed", F.col(column).isNull())
    parts = [F.col(column)]
    if by:
        found = found.join(typical(by), list(by), "left")
        parts.append(F.col(f"_of_{len(by)}"))
    whole = typical(())
    found = found.join(F.broadcast(whole), how="left", on=F.lit(True))
    filled = found.withColumn(column, F.coalesce(*parts, F.col("_of_0")))
    flag = F.col(f"{column}_is_imputed") & F.col(column).isNotNull()
    return filled.withColumn(f"{column}_is_imputed", flag).select(*frame.columns, f"{column}_is_imputed")


def converted(frame: DataFrame, rates: DataFrame, amount: str, currency: str, on: str, to: str) -> DataFrame:
    """Adds `<amount>_<to>` (decimal(18,2), rounded half up) and `<amount>_rate`: converted at the rate valid on the day `on`.

    rates: `from_currency`, `to_currency`, `rate`, `valid_from`, `valid_to` (null: still; its day excluded), without overlaps. A rate
    that is missing leaves null, never an amount in the wrong currency.
    """
    from pyspark.sql import functions as F

    ours = {"_from": "from_currency", "_rate": "rate", "_since": "valid_from", "_until": "valid_to"}
    wanted = rates.where(F.col("to_currency") == to).select(*[F.col(theirs).alias(name) for name, theirs in ours.items()])
    day = F.to_date(on)
    valid = (F.col(currency) == F.col("_from")) & (day >= F.col("_since")) & (F.col("_until").isNull() | (day < F.col("_until")))
    rate = F.when(F.col(currency) == to, F.lit(1)).otherwise(F.col("_rate")).cast("decimal(18,8)")
    joined = frame.join(F.broadcast(wanted), valid, "left").withColumn(f"{amount}_rate", rate)
    total = F.round(F.col(amount).cast("decimal(18,4)") * F.col(f"{amount}_rate"), 2).try_cast("decimal(18,2)")
    return joined.withColumn(f"{amount}_{to.lower()}", total).drop("_from", "_rate", "_since", "_until")
