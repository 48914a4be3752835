from pyspark.sql import DataFrame

from lakehouse.declare import ChangeRows, Column, Landed, Outbox, table


@table(
    source=ChangeRows("shop/products", lands=Outbox("shop")),
    owner="commerce",
    columns=[
        Column("product_id", "string", "The shop's product number.", sensitivity="public"),
        Column("name", "string", "Product name.", sensitivity="public"),
        Column("category", "string", "Product category.", sensitivity="public"),
        Column("brand", "string", "Brand.", sensitivity="public"),
        Column("price", "decimal(12,2)", "Selling price, EUR.", sensitivity="public"),
        Column("cost", "decimal(12,2)", "Purchase price, EUR."),
        Column("is_active", "boolean", "Whether it is on sale.", sensitivity="public"),
        Column("created_at", "timestamp", "When it was launched, UTC."),
        Column("updated_at", "timestamp", "When the shop last changed the row, UTC."),
    ],
)
def shop__products(landed: Landed) -> DataFrame:
    """Every change of the shop's products, as received."""
    return landed
