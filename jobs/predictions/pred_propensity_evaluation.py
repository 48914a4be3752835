from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Snapshot, one_of, table

COLUMNS = (
    "recency_days", "tenure_days", "orders_7d", "orders_28d", "spend_28d", "web_share_28d", "visits_28d", "pages_28d", "carts_28d",
    "phone_visit_share_28d", "paid_share_28d", "weekend_share_28d", "evening_share_28d", "mean_basket_28d", "refunds_28d",
    "has_email_consent",
)  # fmt: skip
HORIZON_DAYS = 30
SLOPE_FROM, SLOPE_TO = 0.8, 1.25


@table(
    key=("model_version", "as_of_date", "figure"),
    owner="crm",
    refresh="nightly",
    columns=[
        Column("model_version", "int", "Version of purchase_propensity that is judged."),
        Column("as_of_date", "date", "The day at whose end it was judged."),
        Column("figure", "string", "later auc, brier and slope of predictions 30 days old; drift of each feature (PSI)."),
        Column("value", "double", "What was found."),
        Column("baseline", "double", "Beside it: the base rate's Brier score, or what chance gives as PSI."),
        Column("rows", "bigint", "Predictions it rests on."),
        Column("verdict", "string", "Beyond its limit, worth a notice, or within.", one_of("beyond", "notice", "within")),
    ],
)
def pred_propensity_evaluation(
    pred_customer_propensity: Snapshot, feat_customer_rfm: Snapshot, feat_customer_behaviour: Snapshot, feat_purchase_training: Snapshot,
    orders: Snapshot, as_of: AsOf,
) -> DataFrame:  # fmt: skip
    """The propensity model, judged every night: predictions of 30 days ago beside what happened, people scored beside people trained on.

    "beyond" of the version served makes the next night serve the version before it.
    """
    key = ["customer_id", "as_of_date"]
    numbers = [F.col(name).cast("double").alias(name) for name in COLUMNS]
    today = pred_customer_propensity.where(F.col("as_of_date") == F.lit(as_of))
    scored = today.join(feat_customer_rfm, key).join(feat_customer_behaviour, key).select(
        F.lit("scored").alias("side"), "model_version", F.lit(0.0).alias("p"), F.lit(0.0).alias("y"), *numbers
    )  # fmt: skip
    trained = feat_purchase_training.where("part = 'later'").select(
        F.lit("trained").alias("side"), F.lit(0).alias("model_version"), F.lit(0.0).alias("p"), F.lit(0.0).alias("y"), *numbers
    )
    ripe = pred_customer_propensity.where(F.col("as_of_date") == F.date_sub(F.lit(as_of), HORIZON_DAYS))
    moment = F.to_timestamp(F.date_add("as_of_date", 1))
    later = orders.where("customer_id IS NOT NULL").select("customer_id", "recorded_at")
    after = F.expr(f"recorded_at >= moment AND recorded_at < moment + INTERVAL {HORIZON_DAYS} DAYS")
    bought = ripe.withColumn("moment", moment).join(later, "customer_id").where(after).select("customer_id").distinct()
    happened = ripe.join(bought.withColumn("hit", F.lit(1.0)), "customer_id", "left").select(
        F.lit("ripe").alias("side"), "model_version", F.col("probability").alias("p"), F.coalesce("hit", F.lit(0.0)).alias("y"),
        *(F.lit(0.0).alias(name) for name in COLUMNS),
    )  # fmt: skip

    columns, slopes = list(COLUMNS), (SLOPE_FROM, SLOPE_TO)

    def judged(rows: Any) -> Any:
        import pandas as pd

        from lakehouse.science.propensity.watching import drift_rows, outcome_rows

        found = outcome_rows(rows[rows["side"] == "ripe"], slopes)
        found += drift_rows(rows[rows["side"] == "trained"], rows[rows["side"] == "scored"], columns)
        return pd.DataFrame(found, columns=["model_version", "figure", "value", "baseline", "rows", "verdict"])

    schema = "model_version int, figure string, value double, baseline double, rows bigint, verdict string"
    whole = scored.unionByName(trained).unionByName(happened)
    return whole.withColumn("together", F.lit(True)).groupBy("together").applyInPandas(judged, schema).select(
        "model_version", F.lit(as_of).cast("date").alias("as_of_date"), "figure", "value", "baseline", "rows", "verdict"
    )  # fmt: skip
