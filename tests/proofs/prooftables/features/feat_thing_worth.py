from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Snapshot, at_most, table


@table(
    key=["as_of_date", "group_key"],
    owner="proofs",
    columns=[
        Column("as_of_date", "date", "The day."),
        Column("group_key", "string", "The group's name, or nowhere."),
        Column("worth", "decimal(22,2)", "Worth of what had happened until then.", at_most(400, action="quarantine")),
    ],
)
def feat_thing_worth(things: Snapshot, as_of: AsOf) -> DataFrame:
    """What each group was worth at the end of a day."""
    until = things.where(F.to_date("happened_at") <= F.lit(as_of))
    worth = until.groupBy("group_id").agg(F.sum("amount").cast("decimal(22,2)").alias("worth"))
    day = F.lit(as_of).cast("date").alias("as_of_date")
    return worth.select(day, F.coalesce("group_id", F.lit("nowhere")).alias("group_key"), "worth")
