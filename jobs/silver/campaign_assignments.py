from lakehouse.declare import SQL, Changes, Column, between, one_of, table


@table(
    key="assignment_id",
    latest_by="assigned_at",
    owner="crm",
    refresh="nightly",
    columns=[
        Column("assignment_id", "string", "Campaign and customer."),
        Column("campaign", "string", "Which campaign.", required=True),
        Column("customer_id", "string", "For whom the lot was drawn.", sensitivity="pseudonym", required=True),
        Column("arm", "string", "Whether the lot lets the campaign write to them.", one_of("mailed", "held out", action="quarantine")),
        Column("chance", "double", "With which chance the lot gave the arm mailed.", between(0, 1, action="quarantine")),
        Column("assigned_at", "timestamp", "When it was drawn, UTC."),
    ],
)
def campaign_assignments(campaigns__assignments: Changes) -> SQL:
    """One row per campaign and customer: the arm drawn by lot, and with which chance."""
    return SQL("SELECT assignment_id, campaign, customer_id, arm, chance, assigned_at FROM campaigns__assignments")
