from lakehouse.declare import SQL, Column, Touched, table


@table(
    key="order_id",
    owner="tests",
    refresh="nightly",
    columns=[
        Column("order_id", "string", "An order."),
        Column("total", "decimal(12,2)", "What its lines sum up to."),
        Column("lines", "bigint", "How many lines it has."),
    ],
)
def fct_orders(orders: Touched["order_id"], order_lines: Touched["order_id"]) -> SQL:
    """One row per order."""
    return SQL("""
        WITH counted AS (SELECT order_id, count(*) AS lines FROM order_lines GROUP BY order_id)
        SELECT o.order_id, o.total, coalesce(c.lines, 0) AS lines FROM orders o LEFT JOIN counted c ON c.order_id = o.order_id
    """)
