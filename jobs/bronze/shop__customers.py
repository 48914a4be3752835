from pyspark.sql import DataFrame

from lakehouse.declare import ChangeRows, Column, Landed, Outbox, table


@table(
    source=ChangeRows("shop/customers", lands=Outbox("shop")),
    owner="crm",
    columns=[
        Column("customer_id", "string", "The shop's customer number.", sensitivity="pseudonym"),
        Column("email", "string", "E-mail address.", sensitivity="personal"),
        Column("first_name", "string", "First name.", sensitivity="personal"),
        Column("last_name", "string", "Last name.", sensitivity="personal"),
        Column("phone", "string", "Telephone number.", sensitivity="personal"),
        Column("street", "string", "Street and house number.", sensitivity="personal"),
        Column("postcode", "string", "Postcode.", sensitivity="personal"),
        Column("city", "string", "City.", sensitivity="personal"),
        Column("country", "string", "Country, two letters."),
        Column("segment", "string", "private, business or student."),
        Column("created_at", "timestamp", "When the customer signed up, UTC."),
        Column("updated_at", "timestamp", "When the shop last changed the row, UTC."),
    ],
)
def shop__customers(landed: Landed) -> DataFrame:
    """Every change of the shop's customers, as received."""
    return landed
