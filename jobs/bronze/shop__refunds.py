from pyspark.sql import DataFrame

from lakehouse.declare import ChangeRows, Column, Landed, Outbox, table


@table(
    source=ChangeRows("shop/refunds", lands=Outbox("shop")),
    owner="commerce",
    columns=[
        Column("refund_id", "string", "The shop's refund number."),
        Column("order_id", "string", "The order paid back, in whole or in part."),
        Column("line_id", "string", "The line paid back."),
        Column("amount", "decimal(12,2)", "Money paid back."),
        Column("reason", "string", "damaged, not_as_described or changed_mind."),
        Column("refunded_at", "timestamp", "When it was paid back, UTC."),
        Column("updated_at", "timestamp", "When the shop last changed the row, UTC."),
    ],
)
def shop__refunds(landed: Landed) -> DataFrame:
    """Every change of the shop's refunds, as received."""
    return landed
