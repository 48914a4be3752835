from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Snapshot, at_least, table

FIGURES = (
    "campaign string, period date, held_out bigint, reached bigint, per_customer double, incremental double, low double, high double, "
    "cumulative double, cumulative_low double, cumulative_high double, sample_ratio_p double, sample_ratio string"
)
ARMS = {"held_out": "held out", "reached": "mailed"}


@table(
    key=("campaign", "period"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("campaign", "string", "The campaign that is withheld by lot; 'universal holdout' for all offers."),
        Column("period", "date", "First day of the month."),
        Column("held_out", "bigint", "Customers held out, of those drawn until the month's end.", at_least(0)),
        Column("reached", "bigint", "Customers who may be written to, likewise.", at_least(0)),
        Column("per_customer", "double", "What a customer who may be written to spends more in the month, EUR, web and shops."),
        Column("incremental", "double", "The same over all of them, EUR."),
        Column("low", "double", "Lower end of its 90 % interval."),
        Column("high", "double", "Upper end."),
        Column("cumulative", "double", "Incremental value from the first month to this one, EUR; each customer's running sum is compared."),
        Column("cumulative_low", "double", "Lower end of its 90 % interval."),
        Column("cumulative_high", "double", "Upper end."),
        Column("sample_ratio_p", "double", "Chance of such arms under the lot's own odds."),
        Column("sample_ratio", "string", "as planned, suspicious (below .01), blocked (below .001: figures are withheld)."),
    ],
)
def fct_holdout_value(campaign_assignments: Snapshot, fct_orders: Snapshot, store_sales: Snapshot) -> DataFrame:
    """What campaigns are worth, month by month and so far: customers whom a lot lets them reach beside those it holds out for good."""

    def worth(sums: Any) -> Any:
        from lakehouse.science.experiments.holdout import worth_of_campaign

        return worth_of_campaign(sums)

    lots = campaign_assignments.select(
        "campaign", "customer_id", "assigned_at", F.expr("trunc(assigned_at, 'MM')").alias("since"), "chance",
        *(F.expr(f"CAST(arm = '{arm}' AS int)").alias(name) for name, arm in ARMS.items()),
    )  # fmt: skip
    bought = fct_orders.selectExpr("customer_id", "ordered_at AS at", "date_id AS day", "CAST(revenue AS double) AS value").unionByName(
        store_sales.selectExpr("customer_id", "sold_at AS at", "sale_date AS day", "CAST(amount AS double) AS value")
    )
    spent = (
        lots.join(bought, "customer_id")
        .where("at >= assigned_at")
        .groupBy("campaign", "customer_id", *ARMS, F.expr("trunc(day, 'MM')").alias("period"))
        .agg(F.sum("value").alias("value"))
    )
    before = "(PARTITION BY campaign, customer_id ORDER BY period)"
    running = spent.withColumn("running", F.expr(f"sum(value) OVER {before}")).withColumn(
        "grown", F.expr("running * running - (running - value) * (running - value)")
    )
    sums = [
        F.sum(F.expr(f"{arm} * {figure}")).alias(f"{arm}_{name}")
        for arm in ARMS
        for name, figure in (("sum", "value"), ("squares", "value * value"), ("grown", "grown"))
    ]
    months = running.groupBy("campaign", "period").agg(*sums)
    drawn = lots.groupBy("campaign", F.col("since").alias("period")).agg(
        *(F.sum(arm).alias(arm) for arm in ARMS), F.avg("chance").alias("chance")
    )
    return months.join(drawn, ["campaign", "period"], "full").groupBy("campaign").applyInPandas(worth, FIGURES)
