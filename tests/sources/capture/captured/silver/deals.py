from lakehouse.declare import SQL, Changes, Column, table


@table(
    key=("contact_id", "number"),
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="crm",
    columns=[
        Column("contact_id", "bigint", "Whose."),
        Column("number", "int", "Number."),
        Column("value", "decimal(14,2)", "Money."),
        Column("stage", "string", "Stage."),
    ],
)
def deals(crm__deals: Changes) -> SQL:
    """Deals as they are."""
    return "SELECT contact_id, number, value, stage, _op, _sequence FROM crm__deals"
