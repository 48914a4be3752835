from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Model, Snapshot, between, references, table


@table(
    key=("customer_id", "as_of_date"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("customer_id", "string", "Who answered a survey, with at least half of each scale.", sensitivity="pseudonym"),
        Column("as_of_date", "date", "The day at whose end it was computed."),
        Column("attitude", "string", "What they want above all: quality, price, convenience or responsibility."),
        Column("certainty", "double", "0 on the border to the next attitude, 1 at the centre of the own one.", between(0, 1)),
        Column("model_version", "int", "Version of customer_attitudes that computed it."),
    ],
    checks=[references("customers", "customer_id")],
)
def pred_customer_attitude(feat_customer_survey: Snapshot, customer_attitudes: Model, as_of: AsOf) -> DataFrame:
    """The attitude of each customer who answered a survey, at the end of a day."""
    today = feat_customer_survey.where(F.col("as_of_date") == F.lit(as_of))
    scored = customer_attitudes.table(today, "attitude string, certainty double").where("attitude IS NOT NULL")
    return scored.select("customer_id", "as_of_date", "attitude", "certainty", F.lit(customer_attitudes.version).alias("model_version"))
