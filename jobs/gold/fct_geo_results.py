from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Snapshot, at_least, between, table

FIGURES = (
    "campaign string, method string, treated bigint, controls bigint, days_before bigint, days bigint, effect double, low double, "
    "high double, incremental double, lift double, p_value double, misfit double"
)


@table(
    key=("campaign", "method"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("campaign", "string", "A campaign that ran in some towns only."),
        Column("method", "string", "synthetic control, or the same augmented by ridge regression."),
        Column("treated", "bigint", "Towns in which it ran.", at_least(1)),
        Column("controls", "bigint", "Towns in which it did not.", at_least(1)),
        Column("days_before", "bigint", "Open days before it, as many days back as it lasted."),
        Column("days", "bigint", "Open days while it ran."),
        Column("effect", "double", "What the shops of a treated town took more a day, EUR."),
        Column("low", "double", "Lower end of its 90 % interval; empty where it is open."),
        Column("high", "double", "Upper end; empty where it is open."),
        Column("incremental", "double", "The same over all treated towns and days, EUR."),
        Column("lift", "double", "Incremental ÷ what the towns would have taken."),
        Column("p_value", "double", "Chance of such a difference without an effect; not below 1 ÷ days.", between(0, 1)),
        Column("misfit", "double", "Root mean squared gap before the campaign, EUR a day."),
    ],
)
def fct_geo_results(campaign_markets: Snapshot, store_sales: Snapshot) -> DataFrame:
    """What campaigns in some towns added to the shops' sales: treated towns against a mixture of the others that resembles them before."""

    def results(daily: Any) -> Any:
        from lakehouse.science.experiments.towns import read_towns

        return read_towns(str(daily["campaign"].iloc[0]), daily)

    return around_campaigns(campaign_markets, store_sales).groupBy("campaign").applyInPandas(results, FIGURES)


def around_campaigns(campaign_markets: DataFrame, store_sales: DataFrame) -> DataFrame:
    """Sales by campaign, town of its plan and day, while it ran and as long before: what `read_towns` reads."""
    sales = store_sales.groupBy("town", F.col("sale_date").alias("day")).agg(F.sum("amount").cast("double").alias("value"))
    newest = sales.agg(F.max("day").alias("newest"))
    plan = campaign_markets.where("starts_on <= ends_on").crossJoin(newest).selectExpr(
        "campaign", "town", "starts_on", "ends_on", "arm = 'treated' AS treated", "newest > ends_on AS over"
    )  # fmt: skip
    within = "day <= ends_on AND day >= date_sub(starts_on, date_diff(ends_on, starts_on) + 1)"
    return plan.join(sales, "town").where(within).selectExpr(
        "campaign", "town", "treated", "over", "day", "day >= starts_on AS during", "value"
    )  # fmt: skip
