from pyspark.sql import DataFrame

from lakehouse.declare import ChangeRows, Column, Landed, Outbox, table


@table(
    source=ChangeRows("shop/orders", lands=Outbox("shop")),
    owner="commerce",
    columns=[
        Column("order_id", "string", "The shop's order number."),
        Column("customer_id", "string", "Who ordered; empty once the customer was deleted.", sensitivity="pseudonym"),
        Column("status", "string", "placed, shipped, delivered or cancelled."),
        Column("sales_channel", "string", "web or phone."),
        Column("utm_source", "string", "Source of the visit that bought."),
        Column("utm_medium", "string", "Medium of the visit that bought."),
        Column("utm_campaign", "string", "Campaign of the visit that bought."),
        Column("payment_method", "string", "card, paypal or invoice."),
        Column("currency", "string", "Currency of the total."),
        Column("total", "decimal(12,2)", "Sum of the order's lines."),
        Column("ordered_at", "timestamp", "When it was placed, UTC."),
        Column("created_at", "timestamp", "When the shop recorded it, UTC; phone orders up to 40 hours later."),
        Column("updated_at", "timestamp", "When the shop last changed the row, UTC."),
    ],
)
def shop__orders(landed: Landed) -> DataFrame:
    """Every change of the shop's orders, as received."""
    return landed
