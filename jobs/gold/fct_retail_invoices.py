from lakehouse.declare import SQL, Column, Touched, table


@table(
    key="invoice_no",
    owner="wholesale",
    refresh="nightly",
    tags="retail",
    columns=[
        Column("invoice_no", "string", "Invoice number."),
        Column("invoice_date", "date", "Its day."),
        Column("customer_id", "string", "Customer number; null where the file has none.", sensitivity="pseudonym"),
        Column("country", "string", "Country in the file's words."),
        Column("is_cancellation", "boolean", "Whether it takes an earlier invoice back."),
        Column("lines", "bigint", "Lines of the invoice, repeated ones included."),
        Column("amount_gbp", "decimal(28,3)", "Sum of its lines, signed."),
    ],
)
def fct_retail_invoices(retail_lines: Touched["invoice_no"]) -> SQL:
    """One row per invoice, cancellations among them."""
    return SQL("""
        SELECT invoice_no, min(invoice_date) AS invoice_date, min(customer_id) AS customer_id, min(country) AS country,
               bool_or(line_kind = 'cancellation') AS is_cancellation, count(*) AS lines, sum(amount_gbp) AS amount_gbp
        FROM retail_lines
        GROUP BY invoice_no
    """)
