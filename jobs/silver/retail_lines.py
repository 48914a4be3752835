from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.declare import Column, Touched, between, holds, matches, not_null, one_of, table

CONTENT = ("invoice_no", "stock_code", "description", "quantity", "invoiced_at", "unit_price", "customer_number", "country")


@table(
    key="retail_line_id",
    owner="wholesale",
    tags="retail",
    columns=[
        Column("retail_line_id", "string", "Content of the line and which of its identical lines it is; the file has no line key."),
        Column("invoice_no", "string", "Invoice number.", required=True),
        Column("stock_code", "string", "Article in capitals: 84596b and 84596B are one.", not_null()),
        Column("description", "string", "Article or note, without blanks around it."),
        Column("quantity", "int", "Pieces, signed.", between(-100_000, 100_000)),
        Column("unit_price", "decimal(12,3)", "Price of one piece, GBP."),
        Column("amount_gbp", "decimal(18,3)", "quantity × unit_price, signed."),
        Column("customer_id", "string", "Customer number; null where the file has none.", matches("^[0-9]+$"), sensitivity="pseudonym"),
        Column("country", "string", "Country in the file's words."),
        Column("invoiced_at", "timestamp", "When the invoice was made."),
        Column("invoice_date", "date", "Day of the invoice."),
        Column("line_kind", "string", "What the line is.", one_of("sale", "cancellation", "stock_correction", "bad_debt", "giveaway")),
        Column("is_article", "boolean", "Whether the code is an article (digits first) and not postage, fees, notes."),
        Column(
            "is_repeated", "boolean", "Whether an identical line of the invoice came before; kept, since the totals agree only with it."
        ),
    ],
    checks=[holds("NOT is_repeated", "not_repeated"), holds("customer_id IS NOT NULL", "has_customer")],
)
def retail_lines(retail__lines: Touched["invoice_no"]) -> DataFrame:
    """One row per invoice line: cancellations, stock corrections and lines without customer are kept and named."""
    alike = Window.partitionBy(*CONTENT).orderBy(F.lit(1))
    code = F.upper(F.trim("stock_code"))
    kind = (
        F.when(F.col("invoice_no").startswith("C"), "cancellation")
        .when(F.col("invoice_no").startswith("A"), "bad_debt")
        .when(F.col("quantity") < 0, "stock_correction")
        .when(F.col("unit_price") == 0, "giveaway")
        .otherwise("sale")
    )
    content = F.to_json(F.struct(*CONTENT))
    return retail__lines.withColumn("_place", F.row_number().over(alike)).select(
        F.sha2(F.concat_ws("|", content, F.col("_place").cast("string")), 256).alias("retail_line_id"),
        "invoice_no", code.alias("stock_code"), F.trim("description").alias("description"), "quantity", "unit_price",
        (F.col("quantity") * F.col("unit_price")).cast("decimal(18,3)").alias("amount_gbp"),
        F.regexp_replace("customer_number", r"\.0$", "").alias("customer_id"), "country", "invoiced_at",
        F.to_date("invoiced_at").alias("invoice_date"), kind.alias("line_kind"),
        code.rlike("^[0-9]{5}").alias("is_article"), (F.col("_place") > 1).alias("is_repeated"),
    )  # fmt: skip
