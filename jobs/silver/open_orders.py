from lakehouse.declare import SQL, Column, Snapshot, at_least, not_in_future, one_of, table


@table(
    key="order_id",
    owner="commerce",
    columns=[
        Column("order_id", "string", "The shop's order number."),
        Column("status", "string", "How far it is.", one_of("placed", "shipped")),
        Column("total", "decimal(12,2)", "What it is worth, EUR.", at_least(0)),
        Column("ordered_at", "timestamp", "When it was placed, UTC.", not_in_future()),
    ],
)
def open_orders(shop__orders_now: Snapshot) -> SQL:
    """One row per order that has not arrived yet, as the shop says at the moment of the run: ahead of what it has handed over."""
    return SQL("SELECT order_id, status, total, ordered_at FROM shop__orders_now WHERE status IN ('placed', 'shipped')")
