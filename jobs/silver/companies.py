from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.cleaning import column, company_name, country_code
from lakehouse.declare import Column, Snapshot, at_least, matches, not_null, table


@table(
    key="company_id",
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("company_id", "string", "The CRM's number; contacts name it."),
        Column("main_company_id", "string", "The number to count by: the least among the numbers of one company."),
        Column("is_duplicate", "boolean", "Whether the company is there under a lesser number too."),
        Column("name", "string", "Name without its legal form, capitals as usual.", not_null()),
        Column("legal_form", "string", "Legal form."),
        Column("name_identity", "string", "What spellings of the name have in common."),
        Column("trade", "string", "Trade."),
        Column("employees", "int", "How many people work there; empty where nobody knows.", at_least(1)),
        Column("vat_number", "string", "VAT number, without blanks.", matches("^[A-Z]{2}[0-9A-Z]{8,12}$")),
        Column("country", "string", "Country of the VAT number, ISO 3166 two letters.", matches("^[A-Z]{2}$")),
        Column("exported_in", "string", "The workbook that named it last."),
    ],
)
def companies(crm__companies: Snapshot) -> DataFrame:
    """One row per company number of the CRM as in its last workbook; numbers that are one company share `main_company_id`.

    One company: the same VAT number; without one, the same name and legal form, where all that have them share one VAT number or none
    has any.
    """
    latest = Window.partitionBy("company_id").orderBy(F.desc("_source_file"), F.desc("_ingested_at"), "vat_number", "name")
    newest = crm__companies.withColumn("_place", F.row_number().over(latest)).where("_place = 1")
    vat = F.nullif(F.upper(F.regexp_replace("vat_number", "[^A-Za-z0-9]", "")), F.lit(""))
    clean = newest.withColumn("_named", column(company_name, "name")).withColumn("_vat", vat)
    namesakes = Window.partitionBy("_named.identity", "_named.legal_form")
    least, most, named = F.min("_vat").over(namesakes), F.max("_vat").over(namesakes), F.col("_named.identity").isNotNull()
    by_namesake = F.when(named & (least == most), least)
    by_name = F.when(named & most.isNull(), F.concat_ws(" ", F.lit("name"), "_named.identity", "_named.legal_form"))
    same = clean.withColumn("_same", F.coalesce("_vat", by_namesake, by_name, F.concat(F.lit("number "), "company_id")))
    main, prefix = F.min("company_id").over(Window.partitionBy("_same")), F.substring("_vat", 1, 2)
    return same.select(
        "company_id", main.alias("main_company_id"), (F.col("company_id") != main).alias("is_duplicate"),
        F.col("_named.name").alias("name"), F.col("_named.legal_form").alias("legal_form"), F.col("_named.identity").alias("name_identity"),
        "trade", F.col("employees").try_cast("int").alias("employees"), F.col("_vat").alias("vat_number"),
        column(country_code, F.when(prefix == "EL", "GR").otherwise(prefix)).alias("country"), F.col("_source_file").alias("exported_in"),
    )  # fmt: skip
