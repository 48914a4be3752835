from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Changes, Column, Snapshot, table


@table(
    key="place_id",
    owner="proofs",
    columns=[
        Column("place_id", "string", "Group and thing: the key changes when a thing moves."),
        Column("label", "string", "Its label's text, looked up."),
        Column("amount", "decimal(12,2)", "What it is worth."),
    ],
)
def dear_things(things: Changes, labels: Snapshot) -> DataFrame:
    """Things worth 50 or more, by place: rows leave the filter, keys change, the lookup is corrected."""
    place = F.concat_ws("/", F.coalesce("group_id", F.lit("nowhere")), "thing_id")
    named = things.join(labels, "label_id", "left").where("amount >= 50")
    return named.select(place.alias("place_id"), "label", "amount")
