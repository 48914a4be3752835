from pyspark.sql import DataFrame

from lakehouse.declare import Column, Live, LiveQuery, table


@table(
    live=LiveQuery("shop", "SELECT order_id, status, sales_channel, total, ordered_at, updated_at FROM orders"),
    owner="commerce",
    columns=[
        Column("order_id", "string", "The shop's order number."),
        Column("status", "string", "placed, shipped, delivered or cancelled."),
        Column("sales_channel", "string", "web or phone."),
        Column("total", "decimal(12,2)", "Sum of its lines' amounts, EUR."),
        Column("ordered_at", "timestamp", "When it was placed, UTC."),
        Column("updated_at", "timestamp", "When the shop last changed the row, UTC."),
    ],
)
def shop__orders_now(live: Live) -> DataFrame:
    """Orders as they stand in the shop's own database at the moment of asking; nothing is copied."""
    return live
