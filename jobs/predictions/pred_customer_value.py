from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Model, Snapshot, at_least, between, one_of, references, table

OUTPUTS = "alive double, churned double, orders_30d double, orders_90d double, spend_per_order double, value_1y double, value_life double"


@table(
    key=("customer_id", "as_of_date"),
    owner="crm",
    refresh="nightly",
    columns=[
        Column("customer_id", "string", "The shop's customer number.", sensitivity="pseudonym"),
        Column("as_of_date", "date", "The day at whose end it was computed."),
        Column("alive", "double", "Chance of still being a customer.", between(0, 1, action="stop")),
        Column("churned", "double", "Chance of having left for good: 1 - alive.", between(0, 1)),
        Column("orders_30d", "double", "Days with an order expected within 30 days.", at_least(0)),
        Column("orders_90d", "double", "Days with an order expected within 90 days.", at_least(0)),
        Column("spend_per_order", "double", "Spending expected on such a day, EUR.", at_least(0)),
        Column("value_1y", "double", "Spending expected within a year, discounted to today, EUR.", at_least(0)),
        Column("value_life", "double", "The same over the customer's whole remaining life, EUR.", at_least(0)),
        Column("tier", "string", "top (5 %), high (15 %), middle (30 %) or low by value_1y.", one_of("top", "high", "middle", "low")),
        Column("model_version", "int", "Version of customer_value that computed it."),
    ],
    checks=[references("customers", "customer_id")],
)
def pred_customer_value(feat_customer_rfm: Snapshot, customer_value: Model, as_of: AsOf) -> DataFrame:
    """What each customer is still worth and whether they are still one, at the end of a day."""
    today = feat_customer_rfm.where(F.col("as_of_date") == F.lit(as_of))
    scored = customer_value.table(today, OUTPUTS)
    place = "percent_rank() OVER (PARTITION BY as_of_date ORDER BY value_1y DESC, customer_id)"
    ranked = scored.withColumn("place", F.expr(place))
    tier = "CASE WHEN place < 0.05 THEN 'top' WHEN place < 0.2 THEN 'high' WHEN place < 0.5 THEN 'middle' ELSE 'low' END"
    return ranked.select(
        "customer_id", "as_of_date", "alive", "churned", "orders_30d", "orders_90d", "spend_per_order", "value_1y", "value_life",
        F.expr(tier).alias("tier"),
        F.lit(customer_value.version).alias("model_version"),
    )  # fmt: skip
