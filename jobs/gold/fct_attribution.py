from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Snapshot, at_least, references, table

GROUPS = 32


@table(
    key=("method", "channel", "campaign", "date_id"),
    owner="marketing",
    refresh="nightly",
    columns=[
        Column("method", "string", "first, last, linear, position (40/20/40), time_decay, markov_1 to _3, shapley, logistic."),
        Column("channel", "string", "Marketing channel."),
        Column("campaign", "string", "Campaign; 'none' where a visit names none."),
        Column("date_id", "date", "Day of the touch that is credited, or of the spend."),
        Column("conversions", "decimal(18,6)", "Orders credited by the method."),
        Column("value", "decimal(18,4)", "Their totals credited, EUR."),
        Column("conversions_low", "double", "Lower end of the channel's 90 % interval over visitors; its rows add up.", at_least(0)),
        Column("conversions_high", "double", "At its upper end.", at_least(0)),
        Column("value_low", "double", "Value at the lower end of its interval, EUR.", at_least(0)),
        Column("value_high", "double", "At its upper end, EUR.", at_least(0)),
        Column("cost", "decimal(22,2)", "Spent on channel and campaign that day, EUR; empty where nothing is paid.", at_least(0)),
        Column("is_chosen", "boolean", "Of the Markov chains, the one that foresees unseen journeys best; true for other methods."),
    ],
    checks=[references("dim_date", "date_id"), references("dim_channel", "channel")],
)  # fmt: skip
def fct_attribution(fct_touchpoints: Snapshot, fct_ad_spend: Snapshot) -> DataFrame:
    """Orders and their value credited to channel, campaign and day by every method, beside what the day cost. All methods hand
    out every order, also those that would have come anyway: what advertising caused, an experiment says. Intervals are of chance,
    from groups of visitors by lot that are credited each on its own."""
    from lakehouse.science.attribution.groups import reach

    def by_touch(touches: Any) -> Any:
        from lakehouse.science.attribution.groups import credit_group

        return credit_group(touches).assign(part=touches["part"].iloc[0])

    def by_channel(paths: Any) -> Any:
        from lakehouse.science.attribution.at_scale import credit_channels

        return credit_channels(paths)

    touches = fct_touchpoints.select(
        F.expr(f"pmod(xxhash64(visitor_id), {GROUPS})").alias("part"), F.col("journey_id").alias("journey"), "position", "channel",
        F.expr("coalesce(campaign, 'none')").alias("campaign"), F.col("date_id").alias("day"), "days_before_end", "conversions",
        F.col("value").cast("double").alias("value"),
    )  # fmt: skip
    placed = touches.groupBy("part").applyInPandas(
        by_touch, "method string, channel string, campaign string, day date, conversions double, value double, part long"
    )
    summed = (
        placed.where("campaign IS NOT NULL")
        .groupBy("method", "channel", "campaign", "day")
        .agg(F.sum("conversions").alias("conversions"), F.sum("value").alias("value"))
    )
    ordered = F.expr("concat_ws(' > ', transform(array_sort(collect_list(struct(position, channel))), x -> x.channel))")
    journeys = touches.groupBy("journey").agg(
        ordered.alias("path"), F.max("conversions").alias("conversions"), F.max("value").alias("value")
    )
    paths = journeys.groupBy("path").agg(
        F.sum("conversions").cast("double").alias("conversions"),
        F.sum("value").alias("value"),
        F.count_if(F.col("conversions") == 0).cast("double").alias("lost"),
    )
    channels = (
        paths.withColumn("together", F.lit(True))
        .groupBy("together")
        .applyInPandas(by_channel, "method string, channel string, conversions double, value double, is_chosen boolean")
    )
    evenly = summed.where("method = 'evenly'").drop("method")
    whole = evenly.groupBy("channel").agg(F.sum("conversions").alias("all_conversions"), F.sum("value").alias("all_value"))
    credited = channels.withColumnsRenamed({"conversions": "own_conversions", "value": "own_value"})
    spread = evenly.join(whole, "channel").join(credited, "channel").select(
        "method", "channel", "campaign", "day",
        F.expr("conversions * own_conversions / nullif(all_conversions, 0)").alias("conversions"),
        F.expr("value * own_value / nullif(all_value, 0)").alias("value"), "is_chosen",
    )  # fmt: skip
    every = summed.where("method <> 'evenly'").withColumn("is_chosen", F.lit(True)).unionByName(spread).join(
        _unsure(placed, reach(GROUPS)), ["method", "channel"], "left"
    )  # fmt: skip
    cost = fct_ad_spend.groupBy("channel", "campaign", F.col("date_id").alias("day")).agg(F.sum("spend").alias("cost"))
    chosen = every.select("method", "is_chosen").distinct()
    return (
        every.join(cost.crossJoin(chosen), ["method", "is_chosen", "channel", "campaign", "day"], "full")
        .select(
            "method", "channel", "campaign", F.col("day").alias("date_id"),
            F.expr("CAST(round(coalesce(conversions, 0), 6) AS decimal(18,6))").alias("conversions"),
            F.expr("CAST(round(coalesce(value, 0), 4) AS decimal(18,4))").alias("value"),
            F.expr("coalesce(conversions * greatest(1 - conversions_off, 0), 0)").alias("conversions_low"),
            F.expr("coalesce(conversions * (1 + conversions_off), 0)").alias("conversions_high"),
            F.expr("coalesce(value * greatest(1 - value_off, 0), 0)").alias("value_low"),
            F.expr("coalesce(value * (1 + value_off), 0)").alias("value_high"),
            F.expr("CAST(cost AS decimal(22,2))").alias("cost"), "is_chosen",
        )
    )  # fmt: skip


def _unsure(placed: DataFrame, beside: float) -> DataFrame:
    """Half the interval's width ÷ credit by method and channel: `beside` standard errors over the groups' own credit, those without
    the channel counting as 0 (`lakehouse.science.attribution.groups.error`)."""
    own = placed.where("method <> 'evenly'").groupBy("method", "channel", "part").agg(
        F.sum("conversions").alias("conversions"), F.sum("value").alias("value")
    )  # fmt: skip
    spread = "sqrt({n} * greatest(sum({x} * {x}) - sum({x}) * sum({x}) / {n}, 0) / ({n} - 1))"
    half = "coalesce({b!r} * " + spread + " / nullif(sum({x}), 0), 1)"
    halves = [F.expr(half.format(b=beside, x=x, n=GROUPS)).alias(f"{x}_off") for x in ("conversions", "value")]
    return own.groupBy("method", "channel").agg(*halves)
