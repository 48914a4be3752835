from lakehouse.declare import ChangeRows, Column, Landed, Outbox, table


@table(
    source=ChangeRows("shop/orders", lands=Outbox("shop")),
    owner="commerce",
    columns=[
        Column("order_id", "string", "The shop's order number."),
        Column("customer_id", "string", "Who ordered.", sensitivity="pseudonym"),
        Column("status", "string", "placed, shipped or cancelled."),
        Column("total", "decimal(12,2)", "Sum of the order's lines."),
        Column("ordered_at", "timestamp", "When it was placed, UTC."),
    ],
)
def shop__orders(landed: Landed):
    """Every change of the shop's orders, as received."""
    return landed
