from collections.abc import Mapping
from typing import Any

from lakehouse.declare import Fitted, NotEnoughData, Snapshot, Trial, model

from ..features.feat_customer_rfm import HISTORY


@model(
    owner="crm",
    watched_by="pred_model_drift",
    parameters={"yearly_discount": 0.10, "margin": 0.01, "total_off": 0.15},
    assumes=[
        "Each customer buys at a steady rate of their own until they leave for good; rates differ between customers as a gamma, or as two.",
        "What a purchase is worth does not depend on how often one buys.",
        "Seasons are not modelled: the calibration on the last whole period carries the level on.",
    ],
    limits=[
        "Who has just left cannot be told from who pauses: shares and ranks can be right, not each person.",
        "The value of a whole life lies beyond the time observed; of 1,000 customers it is told to about 20 %.",
        "It is spending, before margin, and says nothing of what a contact would change.",
    ],
)
def customer_value(feat_purchase_training: Snapshot, parameters: Mapping[str, Any]) -> Fitted:
    """What each customer will still buy: Pareto/NBD, BG/NBD or two habits with Gamma-Gamma, calibrated on the last whole period.

    Tried on the later day with the calibration of the period before it, beside averages of recency and frequency tiers.
    """
    from lakehouse.science.value.customer_value import fit_customer_value, forecast_figures, poisson_deviance, value_report
    from lakehouse.science.value.residual import tier_averages

    rows = feat_purchase_training.toPandas().sort_values(["as_of_date", "customer_id"], ignore_index=True)
    before = rows[rows["part"] == "earlier"]
    before, later = before[before["as_of_date"] == before["as_of_date"].max()], rows[rows["part"] == "later"]
    if before.empty or later.empty:
        raise NotEnoughData(
            f"customer_value: {len(before)} customers to calibrate on, {len(later)} to check on; both are needed. Load more history."
        )
    past, now = (part[list(HISTORY)].astype(float).reset_index(drop=True) for part in (before, later))
    did_then, did = (part["order_days_after"].to_numpy(dtype=float) for part in (before, later))

    fitted = fit_customer_value(now, parameters["yearly_discount"])
    tried = fitted.calibrated(past, did_then)
    expected = tried.orders(now, 30)
    rule = tier_averages(past["repeat_days"], past["days_observed"] - past["last_repeat_day"], did_then,
                         now["repeat_days"], now["days_observed"] - now["last_repeat_day"])  # fmt: skip

    def loss(estimator: Any) -> Any:
        return poisson_deviance(estimator.orders(now, 30), did)

    figures = forecast_figures(expected, did)
    base = {f"baseline_{name}": value for name, value in forecast_figures(rule, did).items()}
    failed, off = {}, parameters["total_off"]
    if figures["total_ratio_low"] > 1 + off or figures["total_ratio_high"] < 1 - off:
        failed["total"] = f"forecast ÷ happened {figures['total_ratio']:.2f}, {1 - off:.2f} to {1 + off:.2f} is allowed"
    trial = Trial(tried, loss, list(poisson_deviance(rule, did)), later["customer_id"].tolist(), failed, parameters["margin"])
    metrics = {f"later_{name}": value for name, value in figures.items()} | base | {"customers": float(len(later))}
    page = value_report(tried, now, expected, rule, did, metrics)
    return Fitted(fitted.calibrated(now, did), HISTORY, metrics, {"report.html": page}, trial)
