from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.cleaning import column, country_code, email, person_name, phone, postcode
from lakehouse.declare import Changes, Column, holds, matches, table


@table(
    key="contact_id",
    latest_by="changed_at",
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("contact_id", "string", "The CRM's number; one person may have several."),
        Column("customer_id", "string", "Number in the shop, where somebody filled it in.", sensitivity="pseudonym"),
        Column("title", "string", "Title.", sensitivity="personal"),
        Column("first_name", "string", "First name, or its initial.", sensitivity="personal"),
        Column("last_name", "string", "Last name.", sensitivity="personal"),
        Column("email", "string", "E-mail address, valid.", matches("^[^@ ]+@[^@ ]+[.][a-z]+$"), sensitivity="personal"),
        Column("email_identity", "string", "What spellings of one mailbox share.", sensitivity="personal"),
        Column("phone", "string", "Telephone number, E.164.", matches("^[+][0-9]+$"), sensitivity="personal"),
        Column("company_id", "string", "Company where the contact works."),
        Column("street", "string", "Street and house number.", sensitivity="personal"),
        Column("postcode", "string", "Postcode as the post writes it.", sensitivity="personal"),
        Column("city", "string", "City.", sensitivity="personal"),
        Column("country", "string", "Country, ISO 3166 two letters.", matches("^[A-Z]{2}$")),
        Column("kind", "string", "Kind of customer."),
        Column("changed_at", "timestamp", "When the contact was last changed, UTC.", required=True),
    ],
    checks=[holds("email IS NOT NULL OR phone IS NOT NULL", "can_be_reached")],
)
def crm_contacts(crm__contacts: Changes) -> DataFrame:
    """One row per contact of the CRM, its newest state; names, addresses and numbers in one form, what is none is empty."""
    named, mail = column(person_name, "name"), column(email, "email")
    clean = crm__contacts.withColumn("_country", column(country_code, F.trim("country"))).withColumn("_named", named)
    clean = clean.withColumn("_mail", mail)
    return clean.select(
        "contact_id", F.nullif("customer_id", F.lit("")).alias("customer_id"), F.col("_named.title").alias("title"),
        F.col("_named.given").alias("first_name"), F.col("_named.family").alias("last_name"), F.lower("_mail.address").alias("email"),
        F.col("_mail.identity").alias("email_identity"), column(phone, "phone", "DE")["number"].alias("phone"),
        F.nullif("company_id", F.lit("")).alias("company_id"), "street",
        column(postcode, "postcode", F.col("_country"))["code"].alias("postcode"), "city", F.col("_country").alias("country"), "kind",
        F.to_utc_timestamp("changed_at", "Europe/Berlin").alias("changed_at"),
    )  # fmt: skip
