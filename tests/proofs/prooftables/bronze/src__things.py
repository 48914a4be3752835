from lakehouse.declare import ChangeRows, Column, Landed, table


@table(
    source=ChangeRows("src/things"),
    owner="proofs",
    columns=[
        Column("thing_id", "string", "A thing."),
        Column("group_id", "string", "Where it lies; may be nowhere."),
        Column("label_id", "string", "Its label."),
        Column("amount", "decimal(12,2)", "What it is worth."),
        Column("happened_at", "timestamp", "When it changed."),
    ],
)
def src__things(landed: Landed):
    """Every change of the things."""
    return landed
