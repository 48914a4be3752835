from lakehouse.declare import SQL, Column, Touched, references, table


@table(
    key="line_id",
    owner="commerce",
    refresh="nightly",
    minimum_score=0.95,
    columns=[
        Column("line_id", "string", "Order number and line number."),
        Column("order_id", "string", "The order it belongs to."),
        Column("date_id", "date", "Day on which it was ordered, UTC."),
        Column("product_id", "string", "What was bought."),
        Column("customer_id", "string", "Who ordered; empty once deleted.", sensitivity="pseudonym"),
        Column("channel", "string", "Marketing channel of the order."),
        Column("status", "string", "Status of the order."),
        Column("quantity", "int", "How many."),
        Column("unit_price", "decimal(12,2)", "Price of one then, EUR."),
        Column("discount", "decimal(12,2)", "Reduction of the line, EUR."),
        Column("amount", "decimal(12,2)", "What the line costs, EUR; an order's lines sum up to its total."),
        Column("refunded", "decimal(12,2)", "Paid back of it so far, EUR."),
        Column("net_amount", "decimal(12,2)", "What remains: nothing of a cancelled order, else amount - refunded."),
    ],
    checks=[references("fct_orders", "order_id"), references("dim_product", "product_id"), references("dim_date", "date_id")],
)
def fct_order_lines(order_lines: Touched["order_id"], orders: Touched["order_id"], refunds: Touched["order_id"]) -> SQL:
    """One row per order line, with what was paid back of it."""
    return SQL("""
        WITH back AS (SELECT order_id, line_id, sum(amount) AS refunded FROM refunds GROUP BY order_id, line_id)
        SELECT l.line_id, l.order_id, o.order_date AS date_id, l.product_id, o.customer_id, o.channel, o.status, l.quantity, l.unit_price,
               l.discount, l.amount, CAST(coalesce(b.refunded, 0) AS decimal(12,2)) AS refunded,
               CAST(CASE WHEN o.status = 'cancelled' THEN 0 ELSE l.amount - coalesce(b.refunded, 0) END AS decimal(12,2)) AS net_amount
        FROM order_lines l
        JOIN orders o ON o.order_id = l.order_id
        LEFT JOIN back b ON b.order_id = l.order_id AND b.line_id = l.line_id
    """)
