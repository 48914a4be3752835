from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Model, Snapshot, between, references, table


@table(
    key=("customer_id", "as_of_date"),
    owner="crm",
    refresh="nightly",
    columns=[
        Column("customer_id", "string", "The shop's customer number.", sensitivity="pseudonym"),
        Column("as_of_date", "date", "The day at whose end the probability was computed."),
        Column("probability", "double", "Chance of at least one order within the next 30 days.", between(0, 1, action="stop")),
        Column("decile", "int", "Tenth of the customers of that day, 10 the likeliest."),
        Column("reasons", "string", "The three features that move it most (Shapley values, log odds); empty unless a line is served."),
        Column("model_version", "int", "Version of purchase_propensity that computed it."),
    ],
    checks=[references("customers", "customer_id")],
)
def pred_customer_propensity(
    feat_customer_rfm: Snapshot, feat_customer_behaviour: Snapshot, purchase_propensity: Model, as_of: AsOf
) -> DataFrame:
    """How likely each customer orders within 30 days, computed at the end of a day."""
    today = feat_customer_rfm.where(F.col("as_of_date") == F.lit(as_of)).join(feat_customer_behaviour, ["customer_id", "as_of_date"])
    scored = purchase_propensity.score(today, "probability", "reasons")
    return scored.select(
        "customer_id", "as_of_date", "probability",
        F.expr("ntile(10) OVER (PARTITION BY as_of_date ORDER BY probability, customer_id)").alias("decile"), "reasons",
        F.lit(purchase_propensity.version).alias("model_version"),
    )  # fmt: skip
