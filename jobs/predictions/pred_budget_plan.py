from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Model, Snapshot, at_least, holds, references, table

WEEKS = 4
CHANGE = (0.5, 2.0)
"""Least and most of a channel, as multiples of what it got: farther away curves are the form's word, not the data's."""
BOUNDS: dict[str, tuple[float, float]] = {}
"""Channel → least and most for all the weeks, EUR, instead of CHANGE."""
PINNED: dict[str, float] = {}
"""Channel → spend that is fixed (booked already), EUR."""
RISK: float | None = None
"""None: best on average. 0.25: best in what is reached in three of four cases."""
FIGURES = tuple(
    f"{name}{end}"
    for name in ("response", "extra_response", "marginal_roas", "in_flight", "left_on_table")
    for end in ("", "_low", "_high")
)  # fmt: skip
AMOUNTS = ("current_spend", "recommended_spend", "least", "most", "total")


@table(
    key=("starts_on", "channel"),
    owner="marketing",
    refresh="nightly",
    tags="market",
    columns=[
        Column("starts_on", "date", f"Monday that the {WEEKS} weeks begin with: the first after the last whole week."),
        Column("channel", "string", "Marketing channel that the media mix knows."),
        Column("current_spend", "decimal(22,2)", f"Spent in the {WEEKS} weeks before, EUR.", at_least(0)),
        Column("recommended_spend", "decimal(22,2)", "To spend in the weeks, EUR, as much in each.", at_least(0, action="stop")),
        Column("least", "decimal(22,2)", "Lower bound it was chosen within, EUR.", at_least(0)),
        Column("most", "decimal(22,2)", "Upper bound, EUR."),
        Column("total", "decimal(22,2)", "Money of the whole plan, EUR: what was spent before. The same in each of its rows."),
        Column("placed", "decimal(22,2)", "Recommended for all its channels together, EUR."),
        Column("response", "double", "Revenue the recommended spend brings, in the weeks and as carryover after, EUR."),
        Column("response_low", "double", "Lower end of its 90 % interval."),
        Column("response_high", "double", "Upper end of its 90 % interval."),
        Column("extra_response", "double", "Response less what the current split, moved into the bounds, would bring, EUR."),
        Column("extra_response_low", "double", "Lower end of its 90 % interval."),
        Column("extra_response_high", "double", "Upper end of its 90 % interval."),
        Column("marginal_roas", "double", "What a further euro would bring at the recommended spend."),
        Column("marginal_roas_low", "double", "Lower end of its 90 % interval."),
        Column("marginal_roas_high", "double", "Upper end of its 90 % interval."),
        Column("in_flight", "double", "Revenue that spend before still brings, in no response here, EUR.", at_least(0)),
        Column("in_flight_low", "double", "Lower end of its 90 % interval."),
        Column("in_flight_high", "double", "Upper end of its 90 % interval."),
        Column("left_on_table", "double", "Extra response of all channels, EUR: what the current split misses. The same in each row."),
        Column("left_on_table_low", "double", "Lower end of its 90 % interval; below 0 the current split may be as good."),
        Column("left_on_table_high", "double", "Upper end of its 90 % interval."),
        Column("model_version", "int", "Version of media_mix that computed it."),
    ],
    checks=[
        references("dim_channel", "channel"),
        holds("abs(placed - total) <= 0.01", "all_money_is_placed", action="stop"),
        holds("recommended_spend BETWEEN least AND most", "within_its_bounds", action="stop"),
    ],
)  # fmt: skip
def pred_budget_plan(agg_channel_performance_daily: Snapshot, media_mix: Model) -> DataFrame:
    """Where to put the money of the coming weeks, channel by channel, and what the current split leaves on the table. Empty until a media
    mix is served, and where nothing was spent."""
    served = media_mix.estimator()
    limits = {"weeks": WEEKS, "change": CHANGE, "bounds": BOUNDS, "pinned": PINNED, "risk": RISK}
    amounts = list(AMOUNTS)

    def planned(daily: Any) -> Any:
        found = served.plan(daily, **limits)
        return found.assign(**{name: found[name].astype(float) for name in amounts})

    days = agg_channel_performance_daily.select(
        "date_id", "channel", F.col("spend").cast("double").alias("spend"), F.col("revenue").cast("double").alias("revenue")
    )
    schema = f"channel string, starts_on date, {', '.join(f'{name} double' for name in (*AMOUNTS, *FIGURES))}"
    found = days.withColumn("together", F.lit(True)).groupBy("together").applyInPandas(planned, schema)
    cents = found.select("starts_on", "channel", *(F.col(name).cast("decimal(22,2)").alias(name) for name in AMOUNTS), *FIGURES)
    placed = F.expr("CAST(sum(recommended_spend) OVER (PARTITION BY starts_on) AS decimal(22,2))").alias("placed")
    return cents.select("starts_on", "channel", *AMOUNTS, placed, *FIGURES, F.lit(media_mix.version).alias("model_version"))
