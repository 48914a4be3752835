from lakehouse.declare import Fitted, NotEnoughData, Predecessor, Snapshot, model

from ..features.feat_customer_rfm import FEATURES, WINDOW_DAYS

COLUMNS = (*FEATURES, "mean_basket_28d")
FEWEST = 30


@model(
    owner="crm",
    watched_by="pred_model_drift",
    assumes=["Who behaves alike within 28 days (scaled features, equal weight) belongs together."],
    limits=[
        "Segments describe; they neither forecast nor say what a contact would change.",
        "Where no structure is found they are tiers of value, which split people who are alike.",
    ],
)
def customer_segments(feat_purchase_training: Snapshot, predecessor: Predecessor) -> Fitted:
    """Customers who behave alike: clusters where silhouette, gap and stability say there are any, tiers of value otherwise.

    A segment that continues one of the version served keeps its number. Rules of a decision tree describe them.
    """
    from lakehouse.science.charts import bars, grid, page
    from lakehouse.science.segmentation.model import continued, fit_segments

    rows = feat_purchase_training.where("part = 'later'").toPandas().sort_values("customer_id", ignore_index=True)
    if len(rows) < FEWEST:
        raise NotEnoughData(
            f"customer_segments: {len(rows)} customers with {WINDOW_DAYS} days of history; {FEWEST} are needed. Wait, or load more history."
        )
    features = rows[list(COLUMNS)].astype(float)
    found = fit_segments(features, rows["spend_28d"].astype(float), predecessor=predecessor)
    told = found.evidence[found.evidence["accepted"]] if found.structured else found.evidence
    metrics = {"segments": float(len(found.centres)), "structured": float(found.structured), "customers": float(len(rows))}
    told_by_rules, rules = found.table(features), found.described(features)
    metrics["rules_right"] = float((told_by_rules["segment"] == told_by_rules["by_rule"]).mean())
    if predecessor is not None:
        metrics["continued"] = float(len(continued(found, predecessor)))
    if found.structured:
        best = told["silhouette"].idxmax()
        metrics |= {"silhouette": float(told.loc[best, "silhouette"]), "least_stable_jaccard": float(told.loc[best, "jaccard"])}
    shares = {f"segment {i}": float(share) for i, share in found.profile["share"].items()}
    worth = {f"segment {i}": float(share) for i, share in found.profile["value_share"].items()}
    charts = f'<div class="charts">{bars(shares, "share of customers")}{bars(worth, "share of spending")}</div>'
    tables = [
        ("Who they are", grid(found.profile)),
        ("Rules that describe them (precision: of whom the rule holds for, in the segment; recall: of the segment)", grid(rules)),
        ("Evidence by number of clusters", grid(found.evidence)),
    ]
    text = page("Segments", [("Sizes", charts), *tables])
    return Fitted(found, COLUMNS, metrics, {"report.html": text})
