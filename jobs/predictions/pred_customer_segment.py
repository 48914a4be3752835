from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Model, Snapshot, at_least, between, references, table


@table(
    key=("customer_id", "as_of_date"),
    owner="crm",
    refresh="nightly",
    columns=[
        Column("customer_id", "string", "The shop's customer number.", sensitivity="pseudonym"),
        Column("as_of_date", "date", "The day at whose end it was computed; two days side by side show who moved."),
        Column("segment", "bigint", "Number of the segment, which it keeps from training to training.", at_least(0)),
        Column("words", "string", "What sets the segment apart."),
        Column("certainty", "double", "0 on the border to the next segment, 1 at the centre of the own one.", between(0, 1)),
        Column("rule", "string", "The rule of a decision tree that describes the segment; empty without."),
        Column("by_rule", "bigint", "The segment whose rule holds for the customer; another than their own: the rule errs; -1: none."),
        Column("model_version", "int", "Version of customer_segments that computed it."),
    ],
    checks=[references("customers", "customer_id")],
)
def pred_customer_segment(
    feat_customer_rfm: Snapshot, feat_customer_behaviour: Snapshot, customer_segments: Model, as_of: AsOf
) -> DataFrame:
    """The segment of each customer at the end of a day."""
    today = feat_customer_rfm.where(F.col("as_of_date") == F.lit(as_of)).join(
        feat_customer_behaviour.drop("segment"), ["customer_id", "as_of_date"]
    )
    scored = customer_segments.table(today, "segment bigint, words string, certainty double, rule string, by_rule bigint")
    return scored.select(
        "customer_id", "as_of_date", "segment", "words", "certainty", "rule", "by_rule",
        F.lit(customer_segments.version).alias("model_version"),
    )  # fmt: skip
