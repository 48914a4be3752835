from lakehouse.declare import ChangeCapture, ChangeRows, Column, Landed, table


@table(
    source=ChangeRows("crm/contacts", lands=ChangeCapture("crm")),
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
def crm__contacts(landed: Landed):
    """Every change of contacts."""
    return landed
