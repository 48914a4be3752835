from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Touched, table


@table(
    key="group_key",
    owner="proofs",
    columns=[
        Column("group_key", "string", "The group's name, or nowhere."),
        Column("group_id", "string", "The group; may be null."),
        Column("quantity", "bigint", "Parts there."),
        Column("things", "bigint", "Things there."),
    ],
)
def agg_group_parts(things: Touched["group_id"], parts: Touched["group_id"]) -> DataFrame:
    """Things and parts by place: two inputs, either of which may move a group."""
    one = F.lit(1).cast("bigint")
    none = F.lit(0).cast("bigint")
    rows = things.select("group_id", none.alias("quantity"), one.alias("things")).unionByName(
        parts.select("group_id", F.col("quantity").cast("bigint"), none.alias("things"))
    )
    summed = rows.groupBy("group_id").agg(F.sum("quantity").alias("quantity"), F.sum("things").alias("things"))
    return summed.withColumn("group_key", F.coalesce("group_id", F.lit("nowhere")))
