from pyspark.sql import DataFrame

from lakehouse.declare import Changes, Column, table


@table(
    key="hit_id",
    owner="proofs",
    columns=[
        Column("hit_id", "string", "A hit."),
        Column("thing_id", "string", "The thing that was hit."),
        Column("happened_at", "timestamp", "When."),
    ],
)
def hits(web__hits: Changes) -> DataFrame:
    """Hits on things that are known by name; erasing one in bronze erases it here."""
    return web__hits.where("thing_id IS NOT NULL").select("hit_id", "thing_id", "happened_at")
