from lakehouse.declare import SQL, Changes, Column, at_least, not_in_future, not_null, one_of, table


@table(
    key="receipt_id",
    latest_by="sold_at",
    owner="commerce",
    refresh="nightly",
    tags="market",
    columns=[
        Column("receipt_id", "string", "Number of the receipt; one sent again counts once."),
        Column("store_id", "string", "Shop.", not_null()),
        Column("town", "string", "Where it is."),
        Column("customer_id", "string", "From the customer card, if shown.", sensitivity="pseudonym"),
        Column("product_id", "string", "Product.", not_null()),
        Column("quantity", "int", "Pieces.", at_least(1)),
        Column("amount", "decimal(12,2)", "Paid, EUR.", not_null(), at_least(0, action="quarantine")),
        Column("payment_method", "string", "How it was paid.", one_of("cash", "debit card", "credit card")),
        Column("sold_at", "timestamp", "When, UTC.", not_in_future(), required=True),
        Column("sale_date", "date", "Day in the shop."),
    ],
)
def store_sales(stores__sales: Changes) -> SQL:
    """One row per receipt of the shops in town, in the words and units of the other sales."""
    return SQL("""
        SELECT receipt_id, substring_index(store, ' ', 1) AS store_id, substring(store, 5) AS town, nullif(customer_id, '') AS customer_id,
               product_id, quantity, try_cast(replace(replace(amount, '.', ''), ',', '.') AS decimal(12,2)) AS amount,
               CASE payment WHEN 'bar' THEN 'cash' WHEN 'EC' THEN 'debit card' WHEN 'Kreditkarte' THEN 'credit card' ELSE payment END
                   AS payment_method,
               to_utc_timestamp(sold_at, 'Europe/Berlin') AS sold_at, to_date(sold_at) AS sale_date
        FROM stores__sales
    """)
