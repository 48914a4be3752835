from lakehouse.declare import SQL, Column, Touched, references, table


@table(
    key="order_id",
    owner="commerce",
    refresh="nightly",
    minimum_score=0.95,
    columns=[
        Column("order_id", "string", "The shop's order number."),
        Column("date_id", "date", "Day on which it was placed, UTC."),
        Column("ordered_at", "timestamp", "When it was placed, UTC."),
        Column("customer_sk", "string", "The customer as they were then; empty once deleted.", sensitivity="pseudonym"),
        Column("customer_id", "string", "Who ordered; empty once deleted.", sensitivity="pseudonym"),
        Column("channel", "string", "Marketing channel, last touch."),
        Column("campaign", "string", "Campaign of the visit that bought."),
        Column("sales_channel", "string", "web or phone."),
        Column("status", "string", "placed, shipped, delivered or cancelled."),
        Column("is_cancelled", "boolean", "Whether it was cancelled."),
        Column("is_first_order", "boolean", "Whether it is the first one of a customer who signed up for it."),
        Column("total", "decimal(12,2)", "Sum of its lines' amounts, EUR, also of a cancelled order."),
        Column("revenue", "decimal(12,2)", "The same, but nothing of a cancelled order; refunds are on the lines."),
    ],
    checks=[references("dim_date", "date_id"), references("dim_channel", "channel"), references("dim_customer", "customer_sk")],
)
def fct_orders(orders: Touched["customer_id"], dim_customer: Touched["customer_id"]) -> SQL:
    """One row per order, with the customer as they were when they ordered."""
    return SQL("""
        SELECT o.order_id, o.order_date AS date_id, o.ordered_at, c.customer_sk, o.customer_id, o.channel, o.campaign, o.sales_channel,
               o.status, o.status = 'cancelled' AS is_cancelled,
               o.customer_id IS NOT NULL
                   AND row_number() OVER (PARTITION BY o.customer_id ORDER BY o.ordered_at, o.order_id) = 1
                   AND coalesce(o.ordered_at < c.customer_since + INTERVAL 1 DAY, false) AS is_first_order,
               o.total, CASE WHEN o.status = 'cancelled' THEN CAST(0 AS decimal(12,2)) ELSE o.total END AS revenue
        FROM orders o
        LEFT JOIN dim_customer c
          ON c.customer_id = o.customer_id AND c.valid_from <= o.ordered_at AND (c.valid_to IS NULL OR c.valid_to > o.ordered_at)
    """)
