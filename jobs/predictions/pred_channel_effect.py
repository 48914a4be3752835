from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Snapshot, at_least, references, table

STUDIES = {"newsletter": "email"}
"""Campaigns withheld by lot, and the channel that they are all of."""
FIGURE_NAMES = (
    "effect", "low", "high", "media_mix", "media_mix_low", "media_mix_high", "moved_by_experiments", "moved_by_attribution", "evidence",
)  # fmt: skip
FIGURES = f"channel string, period date, {' double, '.join(FIGURE_NAMES)} string"
DEVIATION = 2 * 1.645
"""Width of a 90 % interval in standard errors."""


@table(
    key=("channel", "period", "geography"),
    owner="marketing",
    refresh="nightly",
    tags="market",
    columns=[
        Column("channel", "string", "Marketing channel with spend, or one that an experiment speaks about."),
        Column("period", "date", "First day of the month."),
        Column("geography", "string", "'all': spend and sales are not known by place."),
        Column(
            "effect",
            "double",
            "Revenue the channel caused in the month, EUR: the median by all evidence.",
            at_least(0),
        ),
        Column("low", "double", "Lower end of its 90 % interval.", at_least(0)),
        Column("high", "double", "Upper end."),
        Column("media_mix", "double", "The same by the media mix alone; empty where it does not know the channel."),
        Column("media_mix_low", "double", "Lower end of its 90 % interval."),
        Column("media_mix_high", "double", "Upper end."),
        Column("moved_by_experiments", "double", "Effect less what it would be without experiments, EUR."),
        Column("moved_by_attribution", "double", "Effect less what it would be without attribution, EUR."),
        Column("evidence", "string", "What it rests on."),
    ],
    checks=[references("dim_channel", "channel")],
)
def pred_channel_effect(
    pred_channel_contribution: Snapshot, fct_attribution: Snapshot, fct_holdout_value: Snapshot, agg_channel_performance_daily: Snapshot
) -> DataFrame:
    """One number per channel and month: media mix, experiments with their errors, and attribution, whose bias is learned where sources
    overlap. Empty until a media mix is served. What attribution does not see (orders without a journey) widens its part."""

    def answered(evidence: Any) -> Any:
        from lakehouse.science.joint.periods import one_answer

        return one_answer(evidence).assign(period=evidence["period"].iloc[0])

    mix = pred_channel_contribution.groupBy(_month("week_start"), "channel").agg(
        F.sum("contribution").alias("effect"), F.max(F.expr(f"ln(roas_high / roas_low) / {DEVIATION}")).alias("error")
    )
    sales = agg_channel_performance_daily.groupBy(_month("date_id")).agg(
        F.sum("revenue").cast("double").alias("effect"), F.sum("orders").cast("double").alias("orders")
    )
    credit = fct_attribution.where("method LIKE 'markov_%' AND is_chosen").groupBy(_month("date_id"), "channel").agg(
        F.sum("value").cast("double").alias("effect"), F.sum("conversions").cast("double").alias("conversions"),
        F.expr(f"(sum(value_high) - sum(value_low)) / {DEVIATION} / nullif(CAST(sum(value) AS double), 0)").alias("error"),
    )  # fmt: skip
    journeys = credit.groupBy("period").agg(F.sum("conversions").alias("followed"))
    seen = sales.join(journeys, "period").selectExpr("period", "greatest(0.05D, least(1.0D, followed / nullif(orders, 0))) AS seen")
    study = fct_holdout_value.where(F.col("campaign").isin(list(STUDIES)) & F.col("incremental").isNotNull())
    channel = F.expr("CASE campaign " + " ".join(f"WHEN '{name}' THEN '{of}'" for name, of in STUDIES.items()) + " END")
    parts = [
        mix.selectExpr("period", "'media mix' AS source", "'' AS name", "channel", "effect", "error", "1.0D AS seen"),
        study.withColumn("channel", channel).selectExpr(
            "period", "'experiment' AS source", "campaign AS name", "channel", "incremental AS effect",
            f"(high - low) / {DEVIATION} AS error", "1.0D AS seen",
        ),
        credit.join(seen, "period").selectExpr("period", "'attribution' AS source", "'' AS name", "channel", "effect", "error", "seen"),
        sales.selectExpr("period", "'sales' AS source", "'' AS name", "'' AS channel", "effect", "0.0D AS error", "1.0D AS seen"),
    ]  # fmt: skip
    evidence = reduce(DataFrame.unionByName, parts).where("effect IS NOT NULL AND error IS NOT NULL")
    found = evidence.groupBy("period").applyInPandas(answered, FIGURES)
    return found.select("channel", "period", F.lit("all").alias("geography"), *FIGURE_NAMES)


def _month(column: str) -> Any:
    return F.trunc(column, "MM").alias("period")
