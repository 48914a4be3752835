from pyspark.sql import DataFrame

from lakehouse.declare import ChangeRows, Column, Landed, Outbox, table


@table(
    source=ChangeRows("shop/consents", lands=Outbox("shop")),
    owner="privacy",
    columns=[
        Column("consent_id", "string", "Customer number and purpose.", sensitivity="pseudonym"),
        Column("customer_id", "string", "Whose consent it is.", sensitivity="pseudonym"),
        Column("purpose", "string", "email_marketing, analytics or personalisation."),
        Column("is_granted", "boolean", "Whether the customer agrees."),
        Column("source", "string", "Where the customer said so."),
        Column("changed_at", "timestamp", "When the customer said so, UTC."),
        Column("updated_at", "timestamp", "When the shop last changed the row, UTC."),
    ],
)
def shop__consents(landed: Landed) -> DataFrame:
    """Every change of what customers agreed to, as received."""
    return landed
