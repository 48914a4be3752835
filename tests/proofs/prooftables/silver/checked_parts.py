from pyspark.sql import DataFrame

from lakehouse.declare import Changes, Column, at_most, references, table


@table(
    key="part_id",
    owner="proofs",
    columns=[
        Column("part_id", "string", "A part."),
        Column("thing_id", "string", "The thing it belongs to."),
        Column("quantity", "int", "How many.", at_most(8, action="quarantine")),
    ],
    checks=[references("things", "thing_id", action="quarantine")],
)
def checked_parts(parts: Changes) -> DataFrame:
    """Parts of things that exist; the others wait in quarantine until their thing comes."""
    return parts.select("part_id", "thing_id", "quantity")
