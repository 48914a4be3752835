from lakehouse.declare import SQL, Changes, Column, not_in_future, one_of, references, table


@table(
    key="consent_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="privacy",
    columns=[
        Column("consent_id", "string", "Customer number and purpose.", sensitivity="pseudonym"),
        Column("customer_id", "string", "Whose consent it is.", sensitivity="pseudonym"),
        Column("purpose", "string", "What for.", one_of("email_marketing", "analytics", "personalisation")),
        Column("is_granted", "boolean", "Whether the customer agrees; unknown counts as no.", required=True),
        Column("source", "string", "Where the customer said so.", one_of("signup", "preference_centre", "support")),
        Column("changed_at", "timestamp", "When the customer said so, UTC.", not_in_future()),
    ],
    checks=[references("customers", "customer_id")],
)
def consents(shop__consents: Changes) -> SQL:
    """One row per customer and purpose: what they agree to now."""
    return SQL("""
        SELECT consent_id, customer_id, purpose, coalesce(is_granted, false) AS is_granted, source, changed_at, _op, _sequence
        FROM shop__consents
    """)
