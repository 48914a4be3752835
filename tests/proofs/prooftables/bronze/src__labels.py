from lakehouse.declare import ChangeRows, Column, Landed, table


@table(
    source=ChangeRows("src/labels"),
    owner="proofs",
    columns=[Column("label_id", "string", "A label."), Column("label", "string", "Its text.")],
)
def src__labels(landed: Landed):
    """Every change of the labels."""
    return landed
