from lakehouse.declare import ChangeRows, Column, Landed, table


@table(
    source=ChangeRows("shop/order_lines"),
    owner="tests",
    columns=[
        Column("line_id", "string", "A line."),
        Column("order_id", "string", "Its order."),
        Column("amount", "decimal(12,2)", "What it costs."),
    ],
)
def shop__order_lines(landed: Landed):
    """Every change of the order lines."""
    return landed
