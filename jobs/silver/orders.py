from lakehouse.declare import SQL, Changes, Column, at_least, fresh_within, not_in_future, not_null, one_of, references, table


@table(
    key="order_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="commerce",
    minimum_score=0.95,
    columns=[
        Column("order_id", "string", "The shop's order number."),
        Column("customer_id", "string", "Who ordered; empty once the customer was deleted.", sensitivity="pseudonym"),
        Column("status", "string", "How far it is.", one_of("placed", "shipped", "delivered", "cancelled")),
        Column("sales_channel", "string", "Where it was placed.", one_of("web", "phone")),
        Column("channel", "string", "Marketing channel of the visit that bought (last touch); phone orders count as direct."),
        Column("campaign", "string", "Campaign of that visit."),
        Column("payment_method", "string", "How it is paid.", one_of("card", "paypal", "invoice")),
        Column("currency", "string", "Currency of the total.", one_of("EUR", action="quarantine")),
        Column("total", "decimal(12,2)", "Sum of its lines' amounts; refunds and cancellation leave it as it is.",
               not_null(action="stop"), at_least(0, action="quarantine")),
        Column("ordered_at", "timestamp", "When it was placed, UTC.", not_in_future(), required=True),
        Column("order_date", "date", "Day on which it was placed, UTC."),
        Column("recorded_at", "timestamp", "When the shop recorded it, UTC; phone orders up to 40 hours later."),
        Column("updated_at", "timestamp", "When the shop last changed the row, UTC."),
    ],
    checks=[
        references("customers", "customer_id"),
        fresh_within(hours=24, column="recorded_at"),
    ],
)  # fmt: skip
def orders(shop__orders: Changes) -> SQL:
    """One row per order: its newest state, with the channel that brought it."""
    return SQL("""
        SELECT order_id, customer_id, status, sales_channel,
               CASE WHEN utm_medium = 'cpc' THEN 'paid_search'
                    WHEN utm_medium IN ('paid_social', 'email', 'organic', 'referral') THEN utm_medium
                    ELSE 'direct' END AS channel,
               utm_campaign AS campaign, payment_method, currency, total, ordered_at, to_date(ordered_at) AS order_date,
               created_at AS recorded_at, updated_at, _op, _sequence
        FROM shop__orders
    """)
