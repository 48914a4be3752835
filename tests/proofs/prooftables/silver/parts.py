from lakehouse.declare import SQL, Changes, Column, table


@table(
    key="part_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="proofs",
    columns=[
        Column("part_id", "string", "A part."),
        Column("thing_id", "string", "The thing it belongs to."),
        Column("group_id", "string", "Where it lies; may be nowhere."),
        Column("quantity", "int", "How many."),
    ],
)
def parts(src__parts: Changes) -> SQL:
    """The newest state of each part."""
    return SQL("SELECT part_id, thing_id, group_id, quantity, _op, _sequence FROM src__parts")
