from pyspark.sql import DataFrame

from lakehouse.declare import ChangeCapture, ChangeRows, Column, Landed, table


@table(
    source=ChangeRows("loyalty/loyalty_accounts", lands=ChangeCapture("loyalty")),
    owner="crm",
    columns=[
        Column("account_id", "string", "Number of the loyalty account.", sensitivity="pseudonym"),
        Column("customer_id", "string", "Whose account it is.", sensitivity="pseudonym"),
        Column("points", "int", "Points collected."),
        Column("enrolled_at", "timestamp", "When the first points were given, UTC."),
        Column("updated_at", "timestamp", "When points were last given, UTC."),
    ],
)
def loyalty__accounts(landed: Landed) -> DataFrame:
    """Every change of the loyalty accounts, read from their database's log, as received."""
    return landed
