from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Snapshot, holds, one_of, references, table

from .feat_customer_behaviour import BEHAVIOUR, behaved_on
from .feat_customer_rfm import FEATURES, HISTORY, WINDOW_DAYS, known_on

HORIZON_DAYS = 30
DAYS_BACK = (0, 1, 7, 14)
"""Days before the newest one with a whole label; the same again one horizon earlier."""


def labelled_days(orders: DataFrame) -> DataFrame:
    """Days with whole windows before and whole labels after them, and which part of the data each is.

    "later": the newest, for the check. "earlier": labels complete before it, so that a model tried on them knows nothing of
    the check. "recent": between them; only the model that is served learns from those too.
    """
    ends = orders.agg(F.to_date(F.min("ordered_at")).alias("first"), F.to_date(F.max("recorded_at")).alias("last"))
    newest = F.date_sub("last", HORIZON_DAYS + 1)
    back = [F.lit(n + shift) for shift in (0, HORIZON_DAYS) for n in DAYS_BACK]
    days = ends.select("first", newest.alias("newest"), F.explode(F.array(*back)).alias("back"))
    dated = days.withColumn("as_of_date", F.expr("date_sub(newest, back)"))
    part = F.expr(f"CASE WHEN back = 0 THEN 'later' WHEN back >= {HORIZON_DAYS} THEN 'earlier' ELSE 'recent' END")
    return dated.where(F.expr(f"as_of_date >= date_add(first, {WINDOW_DAYS})")).select("as_of_date", part.alias("part"))


@table(
    key=("customer_id", "as_of_date"),
    owner="crm",
    refresh="nightly",
    columns=[
        Column("customer_id", "string", "Who is in the training set.", sensitivity="pseudonym"),
        Column("as_of_date", "date", "The day at whose end the features were known."),
        Column("part", "string", "What the row may be used for.", one_of("earlier", "recent", "later", action="stop")),
        Column("recency_days", "double", "As in feat_customer_rfm."),
        Column("tenure_days", "double", "As in feat_customer_rfm."),
        Column("orders_7d", "int", "As in feat_customer_rfm."),
        Column("orders_28d", "int", "As in feat_customer_rfm."),
        Column("spend_28d", "decimal(14,2)", "As in feat_customer_rfm."),
        Column("web_share_28d", "double", "As in feat_customer_rfm."),
        Column("repeat_days", "int", "As in feat_customer_rfm."),
        Column("last_repeat_day", "int", "As in feat_customer_rfm."),
        Column("days_observed", "int", "As in feat_customer_rfm."),
        Column("mean_repeat_spend", "double", "As in feat_customer_rfm."),
        Column("visits_28d", "int", "As in feat_customer_behaviour."),
        Column("pages_28d", "int", "As in feat_customer_behaviour."),
        Column("carts_28d", "int", "As in feat_customer_behaviour."),
        Column("phone_visit_share_28d", "double", "As in feat_customer_behaviour."),
        Column("paid_share_28d", "double", "As in feat_customer_behaviour."),
        Column("weekend_share_28d", "double", "As in feat_customer_behaviour."),
        Column("evening_share_28d", "double", "As in feat_customer_behaviour."),
        Column("mean_basket_28d", "double", "As in feat_customer_behaviour."),
        Column("refunds_28d", "int", "As in feat_customer_behaviour."),
        Column("has_email_consent", "int", "As in feat_customer_behaviour."),
        Column("newsletter_lot", "int", "1 if the lot lets newsletters reach them, 0 if it holds them out; null where none was drawn."),
        Column("country", "string", "Audited, no feature."),
        Column("segment", "string", "Audited, no feature."),
        Column("order_days_after", "int", "Label: days with an order recorded in the 30 days after."),
        Column("spend_after", "decimal(14,2)", "Label: the total of those orders, EUR."),
        Column("known_until", "timestamp", "When the newest record behind the features was made."),
        Column("label_until", "timestamp", "To when the label looks."),
    ],
    checks=[
        references("customers", "customer_id"),
        holds("known_until < date_add(as_of_date, 1)", "nothing_known_later", action="stop"),
        holds("label_until >= date_add(as_of_date, 1)", "label_after_the_features", action="stop"),
    ],
)
def feat_purchase_training(
    orders: Snapshot, refunds: Snapshot, web_events: Snapshot, customers: Snapshot, dim_customer: Snapshot, dim_consent: Snapshot,
    campaign_assignments: Snapshot,
) -> DataFrame:  # fmt: skip
    """The training set of the models of buying: customers at the end of several past days, what was known, and what they then did.

    An ordinary table: who was in a model's training set is this table at the version the model pinned; who was erased is gone from
    it at the next run, and from the model at the next training.
    """
    dated = customers.select("customer_id", "created_at").crossJoin(F.broadcast(labelled_days(orders)))
    people = dated.withColumn("moment", F.to_timestamp(F.date_add("as_of_date", 1))).where("created_at < moment")
    key = ["customer_id", "as_of_date"]
    later = orders.where("customer_id IS NOT NULL").select("customer_id", "recorded_at", "ordered_at", "total")
    after = F.expr(f"recorded_at >= moment AND recorded_at < moment + INTERVAL {HORIZON_DAYS} DAYS")
    label = people.select(*key, "moment").join(later, "customer_id").where(after).groupBy(*key).agg(
        F.count_distinct(F.to_date("ordered_at")).cast("int").alias("order_days_after"),
        F.sum("total").cast("decimal(14,2)").alias("spend_after"),
    )  # fmt: skip
    drawn = campaign_assignments.where("campaign = 'newsletter'").select("customer_id", "arm", "assigned_at")
    lots = people.select(*key, "moment").join(drawn, "customer_id").where("assigned_at < moment").groupBy(*key).agg(
        F.max((F.col("arm") == "mailed").cast("int")).alias("newsletter_lot")
    )  # fmt: skip
    behaviour = behaved_on(people, orders, refunds, web_events, dim_customer, dim_consent)
    rows = known_on(people, orders).join(behaviour, key).join(people.select(*key, "part"), key)
    rows = rows.join(label, key, "left").join(lots, key, "left")
    return rows.select(
        *key, "part", *FEATURES, *HISTORY, *BEHAVIOUR, "newsletter_lot", "country", "segment",
        F.coalesce("order_days_after", F.lit(0)).alias("order_days_after"),
        F.coalesce("spend_after", F.lit(0)).cast("decimal(14,2)").alias("spend_after"),
        F.greatest("known_until", "behaviour_known_until").alias("known_until"),
        F.expr(f"moment + INTERVAL {HORIZON_DAYS} DAYS").alias("label_until"),
    )  # fmt: skip
