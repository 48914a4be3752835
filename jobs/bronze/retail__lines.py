from pyspark.sql import DataFrame

from lakehouse.declare import Column, Csv, Landed, table


@table(
    source=Csv("retail"),
    owner="wholesale",
    tags="retail",
    columns=[
        Column("invoice_no", "string", "Invoice number; C… is a cancellation, A… a bad-debt adjustment.", received_as="InvoiceNo"),
        Column("stock_code", "string", "Article, or a code such as POST for postage.", received_as="StockCode"),
        Column("description", "string", "Free text: the article, or a note about damage.", received_as="Description"),
        Column("quantity", "int", "Pieces; negative where stock came back or was written off.", received_as="Quantity"),
        Column("invoiced_at", "timestamp", "When the invoice was made.", received_as="InvoiceDate"),
        Column("unit_price", "decimal(12,3)", "Price of one piece, GBP.", received_as="UnitPrice"),
        Column(
            "customer_number", "string", "Customer as the file writes it: '17850.0'.", received_as="CustomerID", sensitivity="pseudonym"
        ),
        Column("country", "string", "Country in the file's words.", received_as="Country"),
    ],
)
def retail__lines(landed: Landed) -> DataFrame:
    """Invoice lines of the wholesaler's files, as received; a file delivered twice counts once."""
    return landed
