from pyspark.sql import DataFrame

from lakehouse.declare import Column, Csv, Landed, matches, not_null, table


@table(
    source=Csv("crm/contacts", delimiter="detect", encoding="detect"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("contact_id", "string", "The CRM's number.", not_null(), received_as="Contact No"),
        Column("customer_id", "string", "Number in the shop, where somebody filled it in.", matches("^C[0-9]+$"),
               received_as="Shop customer", sensitivity="pseudonym"),
        Column("name", "string", "Name as typed.", received_as="Name", sensitivity="personal"),
        Column("email", "string", "E-mail address as typed.", received_as="E-Mail", sensitivity="personal"),
        Column("phone", "string", "Telephone number as typed.", received_as="Phone", sensitivity="personal"),
        Column("company_id", "string", "Company where the contact works.", received_as="Company No"),
        Column("street", "string", "Street and house number.", received_as="Street", sensitivity="personal"),
        Column("postcode", "string", "Postcode as typed.", received_as="Zip", sensitivity="personal"),
        Column("city", "string", "City.", received_as="City", sensitivity="personal"),
        Column("country", "string", "Country as typed.", received_as="Country"),
        Column("kind", "string", "Kind of customer.", received_as="Kind"),
        Column("changed_at", "timestamp", "When the contact was changed, local time.", not_null(), received_as="Last change"),
    ],
)  # fmt: skip
def crm__contacts(landed: Landed) -> DataFrame:
    """Contacts that are new or changed, as the CRM exports them every day."""
    return landed
