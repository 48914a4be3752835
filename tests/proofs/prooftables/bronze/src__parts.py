from lakehouse.declare import ChangeRows, Column, Landed, table


@table(
    source=ChangeRows("src/parts"),
    owner="proofs",
    columns=[
        Column("part_id", "string", "A part."),
        Column("thing_id", "string", "The thing it belongs to."),
        Column("group_id", "string", "Where it lies; may be nowhere."),
        Column("quantity", "int", "How many."),
    ],
)
def src__parts(landed: Landed):
    """Every change of the parts."""
    return landed
