from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Fitted, Snapshot, model
from lakehouse.errors import LakehouseError

from ..features.feat_customer_rfm import FEATURES, WINDOW_DAYS, days_before, known_on


@model(owner="crm", parameters={"horizon_days": 30, "training_days": 28, "penalty": 1.0})
def purchase_propensity(orders: Snapshot, customers: Snapshot, parameters: Mapping[str, Any]) -> Fitted:
    """Probability that a customer orders within the next 30 days: logistic, calibrated, validated on later time.

    Features and labels are of the end of several past days; the label asks for an order recorded in the 30 days after it.
    The figures come from a model trained on days whose labels were complete before the days it is checked on; the model
    that is kept is then fitted by the same procedure on all days.
    """
    from lakehouse.science.propensity import evaluate, fit_calibrated_logistic, split_by_time

    horizon = int(parameters["horizon_days"])
    days = _labelled_days(orders, horizon, int(parameters["training_days"]))
    known = known_on(days, orders, customers)
    later = orders.where("customer_id IS NOT NULL").select("customer_id", "recorded_at")
    bought = F.expr(f"recorded_at >= moment AND recorded_at < moment + INTERVAL {horizon} DAYS")
    label = known.select("customer_id", "as_of_date", "moment").join(later, "customer_id").where(bought)
    buyers = label.select("customer_id", "as_of_date").distinct().withColumn("bought", F.lit(1))
    labelled = known.join(buyers, ["customer_id", "as_of_date"], "left")
    rows = labelled.select("customer_id", "as_of_date", *FEATURES, F.coalesce("bought", F.lit(0)).alias("bought")).toPandas()
    rows = rows.sort_values(["as_of_date", "customer_id"], ignore_index=True)
    features = rows[list(FEATURES)].astype(float)

    def fitted(which: Any) -> Any:
        return fit_calibrated_logistic(
            features[which], rows.loc[which, "bought"], penalty=float(parameters["penalty"]), hinges=("recency_days",),
            groups=rows.loc[which, "customer_id"].tolist(),
        )  # fmt: skip

    split = split_by_time(rows["as_of_date"], boundary=str(days[-1]), horizon=f"{horizon}D")
    earlier = fitted(split.train)
    seen = evaluate(earlier.probability(features[split.later]), rows.loc[split.later, "bought"])
    base = evaluate(_by_recency(features, split.later), rows.loc[split.later, "bought"])
    metrics = {f"later_{name}": value for name, value in seen.metrics().items()} | {"baseline_auc": base.auc}
    return Fitted(fitted(slice(None)), FEATURES, metrics)


def _by_recency(features: Any, which: Any) -> Any:
    """The simple rule beside it: who ordered most recently orders next."""
    return 1 - (features.loc[which, "recency_days"] + 1) / (WINDOW_DAYS + 2)


def _labelled_days(orders: DataFrame, horizon: int, count: int) -> list[date]:
    """Days with whole feature windows before and whole label windows after them, so many that a check on later time is possible."""
    first, last = orders.agg(F.min("ordered_at"), F.max("recorded_at")).collect()[0]
    if first is None:
        raise LakehouseError("purchase_propensity: there is no order yet, so nothing to learn from. Run the hourly DAG first.")
    newest = last.date() - timedelta(days=horizon + 1)
    earliest = first.date() + timedelta(days=WINDOW_DAYS)
    needed = earliest + timedelta(days=horizon)
    if newest < needed:
        raise LakehouseError(
            f"purchase_propensity: orders reach from {first:%Y-%m-%d} to {last:%Y-%m-%d}; "
            f"{WINDOW_DAYS} days of features, {horizon} days of label "
            f"and {horizon} more to check it later need orders until {needed + timedelta(days=horizon + 1)}. Wait, or load more history."
        )
    recent = days_before(newest, count)
    early = days_before(newest - timedelta(days=horizon), count)
    return sorted({day for day in (*early, *recent) if day >= earliest})
