from lakehouse.declare import SQL, Column, Snapshot, table


@table(
    key="label_id",
    owner="proofs",
    columns=[
        Column("label_id", "string", "A label."),
        Column("label", "string", "Its text."),
        Column("amount", "decimal(22,2)", "What the things with it are worth."),
    ],
)
def agg_label(things: Snapshot, labels: Snapshot) -> SQL:
    """What each label is worth, from whole tables; labels written in quotes and under an alias."""
    return SQL("""
        SELECT l.label_id, l.label, (SELECT sum(t.amount) FROM `things` AS t WHERE t.label_id = l.label_id) AS amount
        FROM labels l
    """)
