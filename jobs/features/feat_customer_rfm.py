from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Snapshot, between, references, table

WINDOW_DAYS = 28
FEATURES = ("recency_days", "tenure_days", "orders_7d", "orders_28d", "spend_28d", "web_share_28d")


def known_on(days: Sequence[date], orders: DataFrame, customers: DataFrame) -> DataFrame:
    """Each customer on each day, from what was recorded before that day ended; `moment` is that end."""
    ends = F.explode(F.array(*[F.lit(day) for day in days])).alias("as_of_date")
    moment = F.to_timestamp(F.date_add("as_of_date", 1))
    people = customers.select("customer_id", "created_at", ends).withColumn("moment", moment).where("created_at < moment")
    bought = orders.where("customer_id IS NOT NULL").select("customer_id", "ordered_at", "recorded_at", "sales_channel", "total")
    seen = people.join(bought, "customer_id", "left").withColumn("known", F.expr("recorded_at < moment"))

    def recent(days: int) -> F.Column:
        return F.col("known") & (F.col("ordered_at") >= F.col("moment") - F.expr(f"INTERVAL {days} DAYS"))

    def age(since: F.Column) -> F.Column:
        return F.least(F.lit(float(WINDOW_DAYS)), (F.unix_seconds("moment") - F.unix_seconds(since)) / 86400.0)

    in_window = recent(WINDOW_DAYS)
    return seen.groupBy("customer_id", "as_of_date", "moment", "created_at").agg(
        F.coalesce(age(F.max(F.when(F.col("known"), F.col("ordered_at")))), F.lit(float(WINDOW_DAYS))).alias("recency_days"),
        age(F.col("created_at")).alias("tenure_days"),
        F.count_if(recent(7)).cast("int").alias("orders_7d"),
        F.count_if(in_window).cast("int").alias("orders_28d"),
        F.coalesce(F.sum(F.when(in_window, F.col("total"))), F.lit(0)).cast("decimal(14,2)").alias("spend_28d"),
        F.coalesce(F.avg(F.when(in_window, (F.col("sales_channel") == "web").cast("double"))), F.lit(0.0)).alias("web_share_28d"),
    )


@table(
    key=("customer_id", "as_of_date"),
    owner="crm",
    refresh="nightly",
    columns=[
        Column("customer_id", "string", "The shop's customer number.", sensitivity="pseudonym"),
        Column("as_of_date", "date", "Everything recorded until the end of this day (UTC) is known, nothing after it."),
        Column("recency_days", "double", "Days since the last order, at most 28; 28 without one.", between(0, WINDOW_DAYS)),
        Column("tenure_days", "double", "Days since sign-up, at most 28.", between(0, WINDOW_DAYS)),
        Column("orders_7d", "int", "Orders of the last 7 days."),
        Column("orders_28d", "int", "Orders of the last 28 days."),
        Column("spend_28d", "decimal(14,2)", "Their total, EUR."),
        Column("web_share_28d", "double", "Share of them placed on the web.", between(0, 1)),
        Column("recency_score", "int", "Fifth by recency, 5 the most recent."),
        Column("frequency_score", "int", "Fifth by number of orders, 5 the most."),
        Column("monetary_score", "int", "Fifth by spending, 5 the most."),
    ],
    checks=[references("customers", "customer_id")],
)
def feat_customer_rfm(orders: Snapshot, customers: Snapshot, as_of: AsOf) -> DataFrame:
    """Recency, frequency and money of each customer at the end of a day, with scores from 1 to 5 (ties by customer number)."""

    def fifth(*order: F.Column) -> F.Column:
        return F.ntile(5).over(Window.partitionBy("as_of_date").orderBy(*order, "customer_id"))

    return known_on([as_of], orders, customers).select(
        "customer_id", "as_of_date", *FEATURES,
        fifth(F.desc("recency_days")).alias("recency_score"),
        fifth(F.col("orders_28d")).alias("frequency_score"),
        fifth(F.col("spend_28d")).alias("monetary_score"),
    )  # fmt: skip


def days_before(last: date, count: int) -> list[date]:
    """`count` days up to and with `last`."""
    return [last - timedelta(days=n) for n in reversed(range(count))]
