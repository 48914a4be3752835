from lakehouse.declare import SQL, Changes, Column, at_least, not_in_future, references, table


@table(
    key="account_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="crm",
    columns=[
        Column("account_id", "string", "Number of the loyalty account.", sensitivity="pseudonym"),
        Column("customer_id", "string", "Whose account it is.", sensitivity="pseudonym"),
        Column("points", "int", "Points collected, one for each euro of a delivered order.", at_least(0)),
        Column("tier", "string", "basic, silver (from 500 points) or gold (from 2,000)."),
        Column("enrolled_at", "timestamp", "When the first points were given, UTC.", not_in_future()),
        Column("updated_at", "timestamp", "When points were last given, UTC.", not_in_future()),
    ],
    checks=[references("customers", "customer_id")],
)
def loyalty_accounts(loyalty__accounts: Changes) -> SQL:
    """One row per loyalty account, as it is."""
    return SQL("""
        SELECT account_id, customer_id, points,
               CASE WHEN points >= 2000 THEN 'gold' WHEN points >= 500 THEN 'silver' ELSE 'basic' END AS tier,
               enrolled_at, updated_at, _op, _sequence
        FROM loyalty__accounts
    """)
