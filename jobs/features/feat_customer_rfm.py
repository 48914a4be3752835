from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Snapshot, between, holds, references, table

WINDOW_DAYS = 28
FEATURES = ("recency_days", "tenure_days", "orders_7d", "orders_28d", "spend_28d", "web_share_28d")
HISTORY = ("repeat_days", "last_repeat_day", "days_observed", "mean_repeat_spend")


def at_end_of(day: object, customers: DataFrame) -> DataFrame:
    """The customers signed up by the end of a day: customer_id, created_at, as_of_date and that end as `moment`."""
    dated = customers.select("customer_id", "created_at", F.lit(day).cast("date").alias("as_of_date"))
    return dated.withColumn("moment", F.to_timestamp(F.date_add("as_of_date", 1))).where("created_at < moment")


def known_on(people: DataFrame, orders: DataFrame) -> DataFrame:
    """Recency, frequency and money of people at their moment, from what had been recorded by then; `known_until` is the proof.

    Beside the windows, the history that models of value are fitted on: days with a purchase after the first day
    that was observed (`repeat_days`, the last of them in days since, all observed days), and spending per such day.
    """
    begin = orders.agg(F.to_date(F.min("ordered_at")).alias("first_date"))
    bought = orders.where("customer_id IS NOT NULL").select("customer_id", "ordered_at", "recorded_at", "sales_channel", "total")
    # the begin of history stands beside everybody: beside orders only, who orders later would have been observed for longer before
    dated = people.crossJoin(F.broadcast(begin))
    seen = dated.join(bought, "customer_id", "left").withColumn("known", F.expr("recorded_at < moment"))
    origin = F.greatest(F.to_date("created_at"), F.coalesce("first_date", F.to_date("created_at")))
    seen = seen.withColumn("day", F.when(F.col("known"), F.date_diff(F.to_date("ordered_at"), origin)))
    seen = seen.withColumn("observed", F.date_diff(F.col("as_of_date"), origin))

    def recent(days: int) -> F.Column:
        return F.col("known") & (F.col("ordered_at") >= F.col("moment") - F.expr(f"INTERVAL {days} DAYS"))

    def age(since: F.Column) -> F.Column:
        return F.least(F.lit(float(WINDOW_DAYS)), (F.unix_seconds("moment") - F.unix_seconds(since)) / 86400.0)

    in_window, again = recent(WINDOW_DAYS), F.col("day") > 0
    repeats = F.count_distinct(F.when(again, F.col("day")))
    spent = F.sum(F.when(again, F.col("total"))).cast("double")
    return seen.groupBy("customer_id", "as_of_date", "moment", "created_at").agg(
        F.coalesce(age(F.max(F.when(F.col("known"), F.col("ordered_at")))), F.lit(float(WINDOW_DAYS))).alias("recency_days"),
        age(F.col("created_at")).alias("tenure_days"),
        F.count_if(recent(7)).cast("int").alias("orders_7d"),
        F.count_if(in_window).cast("int").alias("orders_28d"),
        F.coalesce(F.sum(F.when(in_window, F.col("total"))), F.lit(0)).cast("decimal(14,2)").alias("spend_28d"),
        F.coalesce(F.avg(F.when(in_window, (F.col("sales_channel") == "web").cast("double"))), F.lit(0.0)).alias("web_share_28d"),
        repeats.cast("int").alias("repeat_days"),
        F.coalesce(F.max(F.when(again, F.col("day"))), F.lit(0)).cast("int").alias("last_repeat_day"),
        F.greatest(F.coalesce(F.max("observed"), F.lit(0)), F.lit(0)).cast("int").alias("days_observed"),
        F.coalesce(spent / F.nullif(repeats, F.lit(0)), F.lit(0.0)).alias("mean_repeat_spend"),
        F.max(F.when(F.col("known"), F.col("recorded_at"))).alias("known_until"),
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
        Column("repeat_days", "int", "Days with an order, of all history, after the first day observed."),
        Column("last_repeat_day", "int", "The last of them, in days since the first day observed; 0 without."),
        Column("days_observed", "int", "Days from the first observed (sign-up, or the first order the shop knows of) to this one."),
        Column("mean_repeat_spend", "double", "Spending per such day, EUR; 0 without."),
        Column("known_until", "timestamp", "When the newest order used was recorded: before the day's end."),
        Column("recency_score", "int", "Fifth by recency, 5 the most recent."),
        Column("frequency_score", "int", "Fifth by number of orders, 5 the most."),
        Column("monetary_score", "int", "Fifth by spending, 5 the most."),
    ],
    checks=[
        references("customers", "customer_id"),
        holds("known_until < date_add(as_of_date, 1)", "nothing_known_later", action="stop"),
    ],
)
def feat_customer_rfm(orders: Snapshot, customers: Snapshot, as_of: AsOf) -> DataFrame:
    """Recency, frequency and money of each customer at the end of a day, with scores from 1 to 5 (ties by customer number)."""

    def fifth(*order: F.Column) -> F.Column:
        return F.ntile(5).over(Window.partitionBy("as_of_date").orderBy(*order, "customer_id"))

    return known_on(at_end_of(as_of, customers), orders).select(
        "customer_id", "as_of_date", *FEATURES, *HISTORY, "known_until",
        fifth(F.desc("recency_days")).alias("recency_score"),
        fifth(F.col("orders_28d")).alias("frequency_score"),
        fifth(F.col("spend_28d")).alias("monetary_score"),
    )  # fmt: skip
