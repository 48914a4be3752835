from lakehouse.declare import SQL, Changes, Column, references, table


@table(
    key="line_id",
    owner="tests",
    refresh="nightly",
    columns=[
        Column("line_id", "string", "A line."),
        Column("order_id", "string", "Its order."),
        Column("amount", "decimal(12,2)", "What it costs."),
    ],
    checks=[references("fct_orders", "order_id")],
)
def fct_order_lines(order_lines: Changes) -> SQL:
    """One row per order line."""
    return SQL("SELECT line_id, order_id, amount FROM order_lines")
