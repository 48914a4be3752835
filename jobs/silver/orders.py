from pyspark.sql import DataFrame

from lakehouse.declare import Changes, Column, at_least, not_in_future, one_of, table


@table(
    key="order_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="commerce",
    columns=[
        Column("order_id", "string", "The shop's order number."),
        Column("customer_id", "string", "Who ordered.", sensitivity="pseudonym"),
        Column("status", "string", "placed, shipped or cancelled.", one_of("placed", "shipped", "cancelled")),
        Column("total", "decimal(12,2)", "Sum of the order's lines.", at_least(0, action="quarantine")),
        Column("ordered_at", "timestamp", "When it was placed, UTC.", not_in_future()),
    ],
)
def orders(shop__orders: Changes) -> DataFrame:
    """One row per order, deduplicated: its newest state."""
    return shop__orders.select("order_id", "customer_id", "status", "total", "ordered_at", "_op", "_sequence")
