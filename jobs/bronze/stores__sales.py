from pyspark.sql import DataFrame

from lakehouse.declare import Column, Csv, Landed, matches, not_null, table


@table(
    source=Csv("stores/sales", delimiter=";", encoding="cp1252"),
    owner="commerce",
    refresh="nightly",
    tags="market",
    when_erased="empty",
    columns=[
        Column("receipt_id", "string", "Number of the receipt.", not_null(), received_as="Beleg"),
        Column("store", "string", "Number and town of the shop.", received_as="Filiale"),
        Column("sold_at", "timestamp", "When, on the shop's clock.", not_null(), received_as="Zeit"),
        Column("customer_id", "string", "From the customer card, if shown.", matches("^C[0-9]+$"),
               received_as="Kundenkarte", sensitivity="pseudonym"),
        Column("product_id", "string", "Product.", received_as="Artikel"),
        Column("product", "string", "Its name on the receipt.", received_as="Bezeichnung"),
        Column("quantity", "int", "Pieces.", received_as="Menge"),
        Column("amount", "string", "Paid, EUR, with a decimal comma.", received_as="Betrag"),
        Column("payment", "string", "bar, EC or Kreditkarte.", received_as="Zahlart"),
    ],
)  # fmt: skip
def stores__sales(landed: Landed) -> DataFrame:
    """Sales of the shops in town, as their tills write them at night."""
    return landed
