from lakehouse.declare import SQL, Changes, Column, table


@table(
    key="contact_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="crm",
    columns=[
        Column("contact_id", "bigint", "Number."),
        Column("name", "string", "Name."),
        Column("note", "string", "A long text."),
        Column("amount", "decimal(14,2)", "Money."),
        Column("is_open", "boolean", "Whether it is open."),
        Column("seen_at", "timestamp", "When."),
        Column("tags", "array<string>", "Words."),
        Column("grade", "string", "Added on the fly."),
    ],
)
def contacts(crm__contacts: Changes) -> SQL:
    """Contacts as they are."""
    return "SELECT contact_id, name, note, amount, is_open, seen_at, tags, grade, _op, _sequence FROM crm__contacts"
