from lakehouse.declare import SQL, Changes, Column, at_least, not_in_future, one_of, references, table


@table(
    key="refund_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="commerce",
    columns=[
        Column("refund_id", "string", "The shop's refund number."),
        Column("order_id", "string", "The order paid back, in whole or in part.", required=True),
        Column("line_id", "string", "The line paid back."),
        Column("amount", "decimal(12,2)", "Money paid back, EUR.", at_least(0.01, action="quarantine")),
        Column("reason", "string", "Why.", one_of("damaged", "not_as_described", "changed_mind")),
        Column("refunded_at", "timestamp", "When it was paid back, UTC.", not_in_future()),
        Column("refund_date", "date", "Day on which it was paid back, UTC."),
    ],
    checks=[references("orders", "order_id"), references("order_lines", "line_id")],
)
def refunds(shop__refunds: Changes) -> SQL:
    """One row per refund."""
    return SQL("""
        SELECT refund_id, order_id, line_id, amount, reason, refunded_at, to_date(refunded_at) AS refund_date, _op, _sequence
        FROM shop__refunds
    """)
