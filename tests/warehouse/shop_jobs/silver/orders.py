from lakehouse.declare import SQL, Changes, Column, table


@table(
    key="order_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="tests",
    columns=[
        Column("order_id", "string", "An order."),
        Column("total", "decimal(12,2)", "What its lines sum up to."),
    ],
)
def orders(shop__orders: Changes) -> SQL:
    """The newest state of the orders."""
    return SQL("SELECT order_id, total, _op, _sequence FROM shop__orders")
