from typing import Any

from pyspark.sql import functions as F

from lakehouse.declare import Fitted, NotEnoughData, Snapshot, model

from ..features.feat_customer_survey import ITEMS, SCALES

FEWEST = 60


@model(
    owner="crm",
    tags="market",
    parameters={"least_reliability": 0.35},
    assumes=["People answer as they think; who ticked one column throughout is left out."],
    limits=[
        "Only who answered a survey has an attitude: those may differ from who did not.",
        "What people say they want is not what they buy.",
    ],
)
def customer_attitudes(feat_customer_survey: Snapshot, parameters: dict[str, Any]) -> Fitted:
    """Customers by what they say they want: scales of the survey, and clusters of them where silhouette, gap and stability find any."""
    import pandas as pd

    from lakehouse.science.charts import bars, grid, page
    from lakehouse.science.segmentation.attitudes import fit_attitudes
    from lakehouse.science.unfit import UnfitData

    newest = feat_customer_survey.agg(F.max("as_of_date").alias("as_of_date"))
    rows = feat_customer_survey.join(newest, "as_of_date").toPandas().sort_values("customer_id", ignore_index=True)
    if len(rows) < FEWEST:
        raise NotEnoughData(f"customer_attitudes: {len(rows)} customers answered a survey; {FEWEST} are needed. Wait, or ask more.")
    try:
        found = fit_attitudes(rows[list(ITEMS)].astype(float), SCALES, least=parameters["least_reliability"])
    except UnfitData as unfit:
        raise NotEnoughData(f"customer_attitudes: {unfit}") from unfit
    metrics = {"answered": float(len(rows)), "structured": float(found.segments is not None), "attitudes": float(len(found.names))}
    metrics |= {f"reliability_{name}": float(alpha) for name, alpha in found.reliability.items()}
    sizes = bars({name: float(count) for name, count in found.sizes.items()}, "customers who answered")
    sections = [("Sizes", f'<div class="charts">{sizes}</div>'), ("Reliability (α)", grid(pd.DataFrame({"α": found.reliability})))]
    if found.segments is not None:
        sections += [("Who they are", grid(found.segments.profile)), ("Evidence by number of clusters", grid(found.segments.evidence))]
    return Fitted(found, ITEMS, metrics, {"report.html": page("Attitudes", sections)})
