from pyspark.sql import DataFrame

from lakehouse.declare import Column, Frozen, Touched, references, table


@table(
    key="part_id",
    owner="proofs",
    columns=[
        Column("part_id", "string", "A part."),
        Column("thing_id", "string", "The thing it belongs to."),
        Column("label_id", "string", "The thing's label."),
        Column("quantity", "int", "How many."),
    ],
    checks=[references("labels", "label_id")],
)
def fct_thing_parts(things: Touched["thing_id"], parts: Touched["thing_id"], hits: Frozen) -> DataFrame:
    """Parts joined to their things, joined anew where either moved; hits that come later change nothing."""
    joined = parts.join(things.select("thing_id", "label_id"), "thing_id", "left")
    seen = hits.where("hit_id IS NULL").selectExpr("thing_id").distinct()
    return joined.join(seen, "thing_id", "left_anti").select("part_id", "thing_id", "label_id", "quantity")
