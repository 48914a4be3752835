from pyspark.sql import DataFrame

from lakehouse.declare import Column, JsonLines, Landed, not_null, table


@table(
    source=JsonLines("campaigns/markets"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("campaign", "string", "Which campaign.", not_null()),
        Column("town", "string", "Town of the plan.", not_null()),
        Column("arm", "string", "treated or control."),
        Column("starts_on", "string", "First day of the campaign."),
        Column("ends_on", "string", "Its last day."),
    ],
)
def campaigns__markets(landed: Landed) -> DataFrame:
    """Plans of campaigns that run in some towns only, as they were fixed beforehand."""
    return landed
