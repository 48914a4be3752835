from lakehouse.declare import SQL, Changes, Column, table


@table(
    key="retail_line_id",
    owner="wholesale",
    refresh="nightly",
    tags="retail",
    columns=[
        Column("retail_line_id", "string", "The invoice line."),
        Column("invoice_no", "string", "Its invoice."),
        Column("invoice_date", "date", "Day of the invoice."),
        Column("customer_id", "string", "Customer number; null where the file has none.", sensitivity="pseudonym"),
        Column("stock_code", "string", "Article."),
        Column("line_kind", "string", "sale, cancellation, stock_correction, bad_debt or giveaway."),
        Column("is_repeated", "boolean", "Whether an identical line of the invoice came before."),
        Column("quantity", "int", "Pieces, signed."),
        Column("amount_gbp", "decimal(18,3)", "Money, signed: all lines add up to the files' total."),
    ],
)
def fct_retail_lines(retail_lines: Changes) -> SQL:
    """Invoice lines for analysis: every line of the files, each named for what it is."""
    return SQL("""
        SELECT retail_line_id, invoice_no, invoice_date, customer_id, stock_code, line_kind, is_repeated, quantity, amount_gbp
        FROM retail_lines
    """)
