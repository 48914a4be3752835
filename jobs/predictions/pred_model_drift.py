from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Snapshot, one_of, table

from ..models.customer_segments import COLUMNS as SEGMENTED
from ..models.newsletter_uplift import COLUMNS as MOVED

WATCHED = {
    "customer_value": ("recency_days", "orders_28d", "spend_28d", "mean_basket_28d"),
    "customer_segments": SEGMENTED,
    "newsletter_uplift": MOVED,
}
"""By model the columns compared. The history customer_value takes grows with every day and it reckons with that: how people buy within
28 days is what must not become another."""


@table(
    key=("model", "model_version", "as_of_date", "figure"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("model", "string", "The model that is judged.", one_of(*WATCHED, action="stop")),
        Column("model_version", "int", "Its version that scored on that day."),
        Column("as_of_date", "date", "The day at whose end it was judged."),
        Column("figure", "string", "Drift of a feature (population stability index)."),
        Column("value", "double", "What was found."),
        Column("baseline", "double", "Beside it: .25, or what chance gives where that is more."),
        Column("rows", "bigint", "Customers scored."),
        Column("verdict", "string", "Beyond its limit, worth a notice, or within.", one_of("beyond", "notice", "within")),
    ],
)
def pred_model_drift(
    pred_customer_value: Snapshot, pred_customer_segment: Snapshot, pred_next_best_offer: Snapshot, feat_customer_rfm: Snapshot,
    feat_customer_behaviour: Snapshot, feat_purchase_training: Snapshot, as_of: AsOf,
) -> DataFrame:  # fmt: skip
    """Customers scored beside those trained on, every night, for the models without outcomes of their own to be judged by.

    "beyond" of the version served makes the next night serve the version before it. A model that serves no version has no rows, nor has a
    company of fewer than 200 customers.
    """
    key = ["customer_id", "as_of_date"]
    names = sorted({name for columns in WATCHED.values() for name in columns})
    numbers = [F.col(name).cast("double").alias(name) for name in names]
    used = {"customer_value": pred_customer_value, "customer_segments": pred_customer_segment, "newsletter_uplift": pred_next_best_offer}
    scored = feat_customer_rfm.where(F.col("as_of_date") == F.lit(as_of)).join(feat_customer_behaviour, key)
    scored = scored.select(*key, F.lit("scored").alias("side"), *numbers)
    for model, predictions in used.items():
        scored = scored.join(predictions.select(*key, F.col("model_version").alias(model)), key, "left")
    trained = feat_purchase_training.where("part = 'later'").select(
        F.lit("trained").alias("side"), *numbers, *(F.lit(None).cast("int").alias(model) for model in used)
    )
    watched = {model: list(columns) for model, columns in WATCHED.items()}

    def judged(rows: Any) -> Any:
        import pandas as pd

        from lakehouse.science.propensity.watching import drift_rows

        before, now, found = rows[rows["side"] == "trained"], rows[rows["side"] == "scored"], []
        for model, columns in watched.items():
            mine = now[now[model].notna()].rename(columns={model: "model_version"})
            found += [(model, *row) for row in drift_rows(before, mine, columns)]
        return pd.DataFrame(found, columns=["model", "model_version", "figure", "value", "baseline", "rows", "verdict"])

    schema = "model string, model_version int, figure string, value double, baseline double, rows bigint, verdict string"
    whole = scored.drop(*key).unionByName(trained)
    return whole.withColumn("together", F.lit(True)).groupBy("together").applyInPandas(judged, schema).select(
        "model", "model_version", F.lit(as_of).cast("date").alias("as_of_date"), "figure", "value", "baseline", "rows", "verdict"
    )  # fmt: skip
