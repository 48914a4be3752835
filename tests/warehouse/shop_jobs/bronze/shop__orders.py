from lakehouse.declare import ChangeRows, Column, Landed, table


@table(
    source=ChangeRows("shop/orders"),
    owner="tests",
    columns=[
        Column("order_id", "string", "An order."),
        Column("total", "decimal(12,2)", "What its lines sum up to."),
    ],
)
def shop__orders(landed: Landed):
    """Every change of the orders."""
    return landed
