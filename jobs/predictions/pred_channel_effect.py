from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Snapshot, at_least, holds, references, table

STUDIES = {"newsletter": "email"}
"""Campaigns withheld by lot, and the channel that they are all of."""
TOWN_STUDIES = {"posters": "outdoor"}
"""First words of campaigns that run in some towns only, and the channel that they are all of while they run there."""
TOWN_METHOD = "synthetic control"
"""The reading of such a campaign that counts, fixed beforehand: one study counts once."""
FIGURE_NAMES = (
    "effect", "low", "high", "media_mix", "media_mix_low", "media_mix_high", "moved_by_experiments", "moved_by_attribution", "evidence",
)  # fmt: skip
FIGURES = f"channel string, geography string, period date, {' double, '.join(FIGURE_NAMES)} string"
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
        Column(
            "geography",
            "string",
            "'all', or a place: country, in it each town of a plan in campaign_markets ('DE: Berlin') and the rest ('DE: elsewhere'); "
            "'unknown' where no customer is. Places of a channel add up to 'all'.",
        ),
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
    checks=[references("dim_channel", "channel"), holds("low <= effect AND effect <= high", "effect_within_its_interval")],
)
def pred_channel_effect(
    pred_channel_contribution: Snapshot,
    fct_attribution: Snapshot,
    fct_holdout_value: Snapshot,
    fct_geo_results: Snapshot,
    campaign_markets: Snapshot,
    agg_channel_performance_daily: Snapshot,
    fct_orders: Snapshot,
    dim_customer: Snapshot,
    store_sales: Snapshot,
) -> DataFrame:
    """One number per channel, month and geography: media mix, experiments with their errors, and attribution, whose bias is learned where
    sources overlap. Empty until a media mix is served. What attribution does not see (orders without a journey) widens its part. Places
    share a channel's effect as they share its sales, less surely than the whole; campaigns in some towns tell where it lies."""

    def answered(evidence: Any) -> Any:
        from lakehouse.science.joint.periods import one_answer

        return one_answer(evidence).assign(period=evidence["period"].iloc[0])

    mix = pred_channel_contribution.groupBy(_month("week_start"), "channel").agg(
        F.sum("contribution").alias("effect"), F.max(F.expr(f"ln(roas_high / roas_low) / {DEVIATION}")).alias("error")
    )
    ordered = agg_channel_performance_daily.groupBy(_month("date_id")).agg(F.sum("orders").cast("double").alias("orders"))
    credit = fct_attribution.where("method LIKE 'markov_%' AND is_chosen").groupBy(_month("date_id"), "channel").agg(
        F.sum("value").cast("double").alias("effect"), F.sum("conversions").cast("double").alias("conversions"),
        F.expr(f"(sum(value_high) - sum(value_low)) / {DEVIATION} / nullif(CAST(sum(value) AS double), 0)").alias("error"),
    )  # fmt: skip
    journeys = credit.groupBy("period").agg(F.sum("conversions").alias("followed"))
    seen = ordered.join(journeys, "period").selectExpr("period", "greatest(0.05D, least(1.0D, followed / nullif(orders, 0))) AS seen")
    study = fct_holdout_value.where(F.col("campaign").isin(list(STUDIES)) & F.col("incremental").isNotNull())
    channel = F.expr("CASE campaign " + " ".join(f"WHEN '{name}' THEN '{of}'" for name, of in STUDIES.items()) + " END")
    nowhere = "'' AS place", "0.0D AS count"
    parts = [
        mix.selectExpr("period", "'media mix' AS source", "'' AS name", "channel", "effect", "error", "1.0D AS seen", *nowhere),
        study.withColumn("channel", channel).selectExpr(
            "period", "'experiment' AS source", "campaign AS name", "channel", "incremental AS effect",
            f"(high - low) / {DEVIATION} AS error", "1.0D AS seen", *nowhere,
        ),
        credit.join(seen, "period").selectExpr(
            "period", "'attribution' AS source", "'' AS name", "channel", "effect", "error", "seen", *nowhere
        ),
        *_by_place(campaign_markets, fct_geo_results, fct_orders, dim_customer, store_sales),
    ]  # fmt: skip
    evidence = reduce(DataFrame.unionByName, parts).where("effect IS NOT NULL AND error IS NOT NULL")
    found = evidence.groupBy("period").applyInPandas(answered, FIGURES)
    return found.select("channel", "period", "geography", *FIGURE_NAMES)


def _by_place(markets: DataFrame, results: DataFrame, orders: DataFrame, customers: DataFrame, shops: DataFrame) -> list[DataFrame]:
    """Evidence by place: sales of web, telephone and shops, orders by last touch, and campaigns in some towns, month by month."""
    tested = markets.select(F.col("town").alias("city")).distinct().withColumn("tested", F.lit(True))
    living = customers.where("city IS NOT NULL").groupBy("city", "country").count()
    lives_in = living.groupBy("city").agg(F.max(F.struct("count", "country")).getField("country").alias("country"))
    countries = tested.join(lives_in, "city").select("country").distinct().withColumn("parted", F.lit(True))
    place = F.expr(
        "CASE WHEN country IS NULL THEN coalesce(if(tested, city, NULL), 'unknown') WHEN tested THEN concat(country, ': ', city) "
        "WHEN parted THEN concat(country, ': elsewhere') ELSE country END"
    )

    def placed(rows: DataFrame) -> DataFrame:
        return rows.join(tested, "city", "left").join(countries, "country", "left").withColumn("place", place)

    bought = placed(
        orders.where("NOT is_cancelled").join(customers.select("customer_sk", "city", "country"), "customer_sk", "left")
        .select(_month("date_id"), "channel", "city", "country", F.col("revenue").cast("double").alias("value"))
    )  # fmt: skip
    taken = placed(shops.withColumnRenamed("town", "city").join(lives_in, "city", "left")).select(
        _month("sale_date"), "place", F.lit("").alias("channel"), F.col("amount").cast("double").alias("value")
    )
    both = bought.select("period", "place", F.lit("").alias("channel"), "value").unionByName(taken)
    sales = both.unionByName(bought.select("period", "place", "channel", "value")).groupBy("period", "place", "channel").agg(
        F.sum("value").alias("effect"), F.count("*").cast("double").alias("count")
    )  # fmt: skip
    of = F.expr("CASE " + " ".join(f"WHEN campaign LIKE '{name}%' THEN '{channel}'" for name, channel in TOWN_STUDIES.items()) + " END")
    ran = placed(
        markets.where("arm = 'treated' AND starts_on <= ends_on").withColumn("channel", of).where("channel IS NOT NULL")
        .withColumnRenamed("town", "city").join(lives_in, "city", "left")
        .withColumn("day", F.explode(F.expr("sequence(starts_on, ends_on)")))
    ).groupBy("campaign", "channel", "place", _month("day")).agg(F.count("*").cast("double").alias("days"), F.expr(
        "1.0D / max(date_diff(ends_on, starts_on) + 1)").alias("a_day"))  # fmt: skip
    read = results.where(F.col("method") == TOWN_METHOD).selectExpr("campaign", "incremental", "(high - low) * treated * days AS width")
    studies = ran.join(read, "campaign").selectExpr(
        "period", "'experiment in places' AS source", "campaign AS name", "channel", "incremental * days * a_day AS effect",
        f"width / {DEVIATION} * days * a_day AS error", "1.0D AS seen", "place",
        "days / day(last_day(period)) AS count",
    )  # fmt: skip
    return [
        sales.selectExpr(
            "period", "'sales' AS source", "'' AS name", "channel", "effect", "0.0D AS error", "1.0D AS seen", "place", "count"
        ),
        studies,
    ]


def _month(column: str) -> Any:
    return F.trunc(column, "MM").alias("period")
