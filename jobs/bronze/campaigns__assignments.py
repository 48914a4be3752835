from pyspark.sql import DataFrame

from lakehouse.declare import Column, JsonLines, Landed, not_null, table


@table(
    source=JsonLines("campaigns/assignments"),
    owner="crm",
    refresh="nightly",
    columns=[
        Column("assignment_id", "string", "Campaign and customer.", not_null()),
        Column("campaign", "string", "Which campaign."),
        Column("customer_id", "string", "For whom the lot was drawn.", sensitivity="pseudonym"),
        Column("arm", "string", "mailed or held out."),
        Column("chance", "double", "With which chance the lot gave the arm mailed."),
        Column("assigned_at", "timestamp", "When it was drawn, UTC."),
    ],
)
def campaigns__assignments(landed: Landed) -> DataFrame:
    """Lots as the campaign tool draws them: who gets a campaign's messages, and who is held out so that their effect can be measured."""
    return landed
