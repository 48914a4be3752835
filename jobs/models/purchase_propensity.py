from collections.abc import Mapping
from typing import Any

from lakehouse.declare import Fitted, NotEnoughData, Snapshot, Trial, model

from ..features.feat_customer_behaviour import BEHAVIOUR
from ..features.feat_customer_rfm import FEATURES, WINDOW_DAYS
from ..features.feat_purchase_training import HORIZON_DAYS

COLUMNS = (*FEATURES, *BEHAVIOUR)
AUDITED = ("segment", "country")


@model(
    owner="crm",
    watched_by="pred_propensity_evaluation",
    parameters={"penalty": 1.0, "margin": 0.01, "slope_from": 0.8, "slope_to": 1.25, "threshold": 0.5, "gap": 0.15},
    assumes=[
        "In the next 30 days customers do as those of the training days did; drift and predictions 30 days old are looked at every night.",
        "An order counts where it was recorded within the 30 days.",
    ],
    limits=[
        "It says who will order, not whom a contact moves: newsletter_uplift does.",
        "Country and segment are audited and not used; other attributes nobody told are not audited.",
    ],
)
def purchase_propensity(feat_purchase_training: Snapshot, parameters: Mapping[str, Any]) -> Fitted:
    """Probability that a customer orders within the next 30 days: calibrated, audited, validated on later time.

    A logistic regression, unless boosted trees or a small network are better on the later day by the margin, with their
    whole interval. The trial's estimators are fitted on rows whose labels were complete before the later day; the one that is
    served is then fitted by the same procedure on all rows. Leaks stop the training.
    """
    from lakehouse.science.fairness import audit, with_others
    from lakehouse.science.propensity import evaluate
    from lakehouse.science.propensity.candidates import compare_candidates, slope_beyond
    from lakehouse.science.propensity.leaks import labels_known_by, no_column_tells_alone, rows_apart
    from lakehouse.science.propensity.report import propensity_report

    rows = feat_purchase_training.toPandas().sort_values(["as_of_date", "customer_id"], ignore_index=True)
    features, label = rows[list(COLUMNS)].astype(float), (rows["order_days_after"] > 0).astype(int)
    earlier, later = rows["part"] == "earlier", rows["part"] == "later"
    if not earlier.any() or not later.any():
        raise NotEnoughData(
            f"purchase_propensity: {int(earlier.sum())} rows to try on, {int(later.sum())} to check on: {WINDOW_DAYS} days of features "
            f"and twice {HORIZON_DAYS} days of labels are needed. Wait, or load more history."
        )
    labels_known_by(rows.loc[earlier, "as_of_date"], f"{HORIZON_DAYS}D", str(rows.loc[later, "as_of_date"].min()))
    rows_apart(rows[earlier], rows[later], ["customer_id", "as_of_date"])
    no_column_tells_alone(features, label)

    compared = compare_candidates(features[earlier], label[earlier], rows.loc[earlier, "customer_id"],
                                  features[later], label[later], penalty=parameters["penalty"], margin=parameters["margin"])  # fmt: skip
    tried = compared.chosen
    p, truth = tried.probability(features[later]), label[later]
    seen, rule = evaluate(p, truth), _by_recency(features[later])
    groups = rows.loc[later, list(AUDITED)].reset_index(drop=True).apply(with_others)
    limits = {"demographic parity": parameters["gap"], "equal opportunity": parameters["gap"], "calibration": parameters["gap"] / 2}
    fair = audit(p, truth, groups, parameters["threshold"], limits, level=1 - 0.05 / (len(limits) * len(AUDITED)))
    failed = slope_beyond(seen, (parameters["slope_from"], parameters["slope_to"]))
    unfair = [line for line in fair.text.splitlines() if line.startswith("beyond")]
    failed |= {"fairness": "; ".join(unfair)} if unfair else {}

    def loss(estimator: Any) -> Any:
        return (estimator.probability(features[later]) - truth) ** 2

    metrics = {f"later_{name}": value for name, value in seen.metrics().items()}
    metrics |= {"baseline_auc": evaluate(rule, truth).auc, "baseline_brier": float(((rule - truth) ** 2).mean()), **compared.metrics()}
    metrics["largest_fairness_gap"] = float(fair.table["gap"].max())
    page = propensity_report(tried, features[later], truth, rule, compared.table, fair, metrics)
    trial = Trial(tried, loss, list((rule - truth) ** 2), rows.loc[later, "customer_id"].tolist(), failed, parameters["margin"])
    served = compared.fit(features, label, rows["customer_id"])
    return Fitted(served, COLUMNS, metrics, {"report.html": page}, trial)


def _by_recency(features: Any) -> Any:
    """The simple rule beside it: who ordered most recently orders next."""
    return 1 - (features["recency_days"] + 1) / (WINDOW_DAYS + 2)
