from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Snapshot, between, holds, references, table

from .feat_customer_rfm import at_end_of

WINDOW = "INTERVAL 28 DAYS"
BEHAVIOUR = (
    "visits_28d", "pages_28d", "carts_28d", "phone_visit_share_28d", "paid_share_28d", "weekend_share_28d", "evening_share_28d",
    "mean_basket_28d", "refunds_28d", "has_email_consent",
)  # fmt: skip


def behaved_on(
    people: DataFrame, orders: DataFrame, refunds: DataFrame, web_events: DataFrame, dim_customer: DataFrame, dim_consent: DataFrame
) -> DataFrame:
    """What people did and who they were at their moment: events received, orders recorded, refunds paid, versions valid then."""
    moments = people.select("customer_id", "as_of_date", "moment")
    key = ["customer_id", "as_of_date"]

    def within(rows: DataFrame, recorded: str, happened: str) -> DataFrame:
        recent = F.expr(f"{recorded} < moment AND {happened} >= moment - {WINDOW}")
        return moments.join(rows.where("customer_id IS NOT NULL"), "customer_id").where(recent)

    def then(rows: DataFrame) -> DataFrame:
        return moments.join(rows, "customer_id").where("valid_from < moment AND (valid_to IS NULL OR valid_to >= moment)")

    events = web_events.select("customer_id", "received_at", "event_at", "session_id", "event_type", "device")
    visited = within(events, "received_at", "event_at").groupBy(*key).agg(
        F.count_distinct("session_id").cast("int").alias("visits_28d"),
        F.count_if(F.expr("event_type = 'page_view'")).cast("int").alias("pages_28d"),
        F.count_if(F.expr("event_type = 'add_to_cart'")).cast("int").alias("carts_28d"),
        F.avg(F.expr("CAST(device = 'phone' AS double)")).alias("phone_visit_share_28d"),
        F.max("received_at").alias("seen_until"),
    )  # fmt: skip
    placed = orders.select("customer_id", "recorded_at", "ordered_at", "channel", "total")
    ordered = within(placed, "recorded_at", "ordered_at").groupBy(*key).agg(
        F.avg(F.expr("CAST(channel IN ('paid_search', 'paid_social') AS double)")).alias("paid_share_28d"),
        F.avg(F.expr("CAST(dayofweek(ordered_at) IN (1, 7) AS double)")).alias("weekend_share_28d"),
        F.avg(F.expr("CAST(hour(ordered_at) >= 18 AS double)")).alias("evening_share_28d"),
        F.avg("total").cast("double").alias("mean_basket_28d"),
        F.max("recorded_at").alias("ordered_until"),
    )  # fmt: skip
    paid_back = refunds.join(orders.select("order_id", "customer_id"), "order_id").select("customer_id", "refunded_at")
    refunded = within(paid_back, "refunded_at", "refunded_at").groupBy(*key).agg(
        F.count(F.lit(1)).cast("int").alias("refunds_28d"), F.max("refunded_at").alias("refunded_until")
    )  # fmt: skip
    person = then(dim_customer.select("customer_id", "country", "segment", "valid_from", "valid_to"))
    agreed = then(dim_consent.where("purpose = 'email_marketing' AND is_granted").select("customer_id", "valid_from", "valid_to"))
    parts = [
        visited, ordered, refunded, person.groupBy(*key).agg(F.min("country").alias("country"), F.min("segment").alias("segment")),
        agreed.groupBy(*key).agg(F.lit(1).alias("has_email_consent")),
    ]  # fmt: skip
    whole = moments
    for part in parts:
        whole = whole.join(part, key, "left")
    known = F.greatest("seen_until", "ordered_until", "refunded_until")
    counts = ("visits_28d", "pages_28d", "carts_28d", "refunds_28d", "has_email_consent")
    shares = [name for name in BEHAVIOUR if name not in counts]
    return whole.select(
        *key, *(F.coalesce(F.col(name), F.lit(0)).cast("int").alias(name) for name in counts),
        *(F.coalesce(F.col(name), F.lit(0.0)).alias(name) for name in shares), "country", "segment", known.alias("behaviour_known_until"),
    )  # fmt: skip


@table(
    key=("customer_id", "as_of_date"),
    owner="crm",
    refresh="nightly",
    columns=[
        Column("customer_id", "string", "The shop's customer number.", sensitivity="pseudonym"),
        Column("as_of_date", "date", "Everything recorded until the end of this day (UTC) is known, nothing after it."),
        Column("visits_28d", "int", "Visits to the web shop while signed in, of the last 28 days (with consent to analytics)."),
        Column("pages_28d", "int", "Pages seen in them."),
        Column("carts_28d", "int", "Products put into the cart in them."),
        Column("phone_visit_share_28d", "double", "Share of their events on a phone.", between(0, 1)),
        Column("paid_share_28d", "double", "Share of the orders of 28 days that came through paid channels.", between(0, 1)),
        Column("weekend_share_28d", "double", "Share of them on Saturdays and Sundays.", between(0, 1)),
        Column("evening_share_28d", "double", "Share of them from 18:00 UTC on.", between(0, 1)),
        Column("mean_basket_28d", "double", "Their mean total, EUR; 0 without."),
        Column("refunds_28d", "int", "Refunds paid back."),
        Column("has_email_consent", "int", "1 if the customer agreed to e-mail at that moment."),
        Column("country", "string", "Country at that moment. For audits, not a feature."),
        Column("segment", "string", "private, business or student at that moment. For audits, not a feature."),
        Column("behaviour_known_until", "timestamp", "When the newest record used was made: before the day's end."),
    ],
    checks=[
        references("customers", "customer_id"),
        holds("behaviour_known_until < date_add(as_of_date, 1)", "nothing_known_later", action="stop"),
    ],
)
def feat_customer_behaviour(
    orders: Snapshot, refunds: Snapshot, web_events: Snapshot, customers: Snapshot, dim_customer: Snapshot, dim_consent: Snapshot,
    as_of: AsOf,
) -> DataFrame:  # fmt: skip
    """Engagement, channel, season of the week, value and demography of each customer at the end of a day, as known and valid then."""
    return behaved_on(at_end_of(as_of, customers), orders, refunds, web_events, dim_customer, dim_consent).select(
        "customer_id", "as_of_date", *BEHAVIOUR, "country", "segment", "behaviour_known_until"
    )
