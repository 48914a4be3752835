from pyspark.sql import DataFrame

from lakehouse.declare import Column, Excel, Landed, matches, not_null, table


@table(
    source=Excel("crm/companies", sheet="Companies", header=2),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("company_id", "string", "The CRM's number.", not_null(), received_as="Company No"),
        Column("name", "string", "Name as typed.", received_as="Name"),
        Column("trade", "string", "Trade.", received_as="Trade"),
        Column("employees", "string", "How many people work there, as typed.", received_as="Employees"),
        Column("vat_number", "string", "VAT number.", matches("^[A-Z]{2}[0-9A-Z]{8,12}$"), received_as="VAT No"),
    ],
)
def crm__companies(landed: Landed) -> DataFrame:
    """All companies of the CRM, a workbook each month."""
    return landed
