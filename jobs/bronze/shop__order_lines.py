from pyspark.sql import DataFrame

from lakehouse.declare import ChangeRows, Column, Landed, Outbox, table


@table(
    source=ChangeRows("shop/order_lines", lands=Outbox("shop")),
    owner="commerce",
    columns=[
        Column("line_id", "string", "Order number and line number."),
        Column("order_id", "string", "The order it belongs to."),
        Column("line_number", "int", "Place in the order, from 1."),
        Column("product_id", "string", "What was bought."),
        Column("quantity", "int", "How many."),
        Column("unit_price", "decimal(12,2)", "Price of one."),
        Column("discount", "decimal(12,2)", "Reduction of the line."),
        Column("amount", "decimal(12,2)", "quantity × unit_price - discount."),
        Column("updated_at", "timestamp", "When the shop last changed the row, UTC."),
    ],
)
def shop__order_lines(landed: Landed) -> DataFrame:
    """Every change of the shop's order lines, as received."""
    return landed
