from lakehouse.declare import SQL, Changes, Column, one_of, table


@table(
    key=("campaign", "town"),
    latest_by="planned_at",
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("campaign", "string", "Which campaign."),
        Column("town", "string", "Town of the plan."),
        Column("arm", "string", "Whether the campaign runs there.", one_of("treated", "control", action="quarantine")),
        Column("starts_on", "date", "First day of the campaign."),
        Column("ends_on", "date", "Its last day."),
        Column("planned_at", "timestamp", "When the plan was last received, UTC."),
    ],
)
def campaign_markets(campaigns__markets: Changes) -> SQL:
    """One row per campaign and town: whether the campaign runs there, and when."""
    return SQL("""
        SELECT campaign, town, arm, try_cast(starts_on AS date) AS starts_on, try_cast(ends_on AS date) AS ends_on,
               _ingested_at AS planned_at
        FROM campaigns__markets
    """)
