from lakehouse.declare import SQL, Changes, Column, table


@table(
    key="line_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="tests",
    columns=[
        Column("line_id", "string", "A line."),
        Column("order_id", "string", "Its order."),
        Column("amount", "decimal(12,2)", "What it costs."),
    ],
)
def order_lines(shop__order_lines: Changes) -> SQL:
    """The newest state of the order lines."""
    return SQL("SELECT line_id, order_id, amount, _op, _sequence FROM shop__order_lines")
