"""What advertising and contact policy are told of each customer: group, audience, likeness to the best, value of a conversion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lakehouse.science.propensity.unfit import UnfitData, Vector, numbers
from lakehouse.science.segmentation.rules import hybrid
from lakehouse.science.value.audiences import conversion_values, fit_lookalike, value_audiences

NEW_DAYS, GONE, WORTH_KEEPING = 28.0, 0.5, 0.30
MOST = 20_000
"""Rows that the lookalike model learns from, at most."""


def told_to_advertising(
    rows: pd.DataFrame, *, values: Sequence[str], likeness: Sequence[str], margin: float, seed: int = 0
) -> pd.DataFrame:
    """One row per customer, in the order received.

    Marketing group: the first rule that claims a customer ("new": signed up within 28 days; "worth winning back": probably gone, among the
    best 30 % by past spending; "gone": probably gone), else the cluster (`hybrid`). Audience: by predicted value, day after day, so
    that members stay until they are clearly out (`value_audiences`). Lookalike: how much who is not "high" resembles who is, by
    features that strangers have too (`fit_lookalike`). Conversion value: margin of an order now and of the value after it
    (`conversion_values`).

    Args:
        rows: customer_id, tenure_days, churned, spent_before, segment (number, missing where there is none), spend_per_order, and the
            columns named in `values` and `likeness`.
        values: columns of predicted value, oldest day first, today last; missing where a customer was not there.
        likeness: columns of features for the lookalike score.
        margin: share of spending.

    Returns:
        Frame with customer_id, marketing_group, claimed_by, audience, lookalike (0 to 1; NaN for "high", for everybody where they cannot be
        told from the others) and conversion_value (money).
    """
    index = pd.Index(rows["customer_id"])
    gone = numbers(rows["churned"], "churned") >= GONE
    spent = numbers(rows["spent_before"], "spent_before")
    best = (spent > 0) & (rows["spent_before"].rank(method="first", pct=True).to_numpy() > 1 - WORTH_KEEPING)
    claims = {"new": numbers(rows["tenure_days"], "tenure_days") < NEW_DAYS, "worth winning back": gone & best, "gone": gone}
    clusters = rows["segment"].fillna(-1).to_numpy(dtype=np.int64)
    names = {int(one): f"segment {one}" for one in np.unique(clusters) if one >= 0}
    groups = hybrid(claims, clusters, names)
    audience: pd.Series[str] | None = None
    for name in values:
        seen = pd.Series(rows[name].to_numpy(dtype=np.float64), index=index).dropna()
        if len(seen):
            audience = value_audiences(seen, audience)
    today = rows[values[-1]].to_numpy(dtype=np.float64)
    if audience is None or np.isnan(today).any():
        raise UnfitData(f"rows: {int(np.isnan(today).sum())} of {len(rows)} customers have no value today ({values[-1]}); all need one")
    told = audience.reindex(index).to_numpy(dtype=object)
    high = np.array([one == "high" for one in told], dtype=np.bool_)
    paid = margin * numbers(rows["spend_per_order"], "spend_per_order")
    return pd.DataFrame(
        {
            "customer_id": index, "marketing_group": groups["segment"].to_numpy(), "claimed_by": groups["claimed_by"].to_numpy(),
            "audience": told,
            "lookalike": _likeness(rows[list(likeness)].astype(float).reset_index(drop=True), high, index, seed),
            "conversion_value": conversion_values(margin * today, paid),
        }
    )  # fmt: skip


def _likeness(features: pd.DataFrame, high: NDArray[np.bool_], index: pd.Index[str], seed: int) -> Vector:
    """The lookalike score of who is not high, learnt on at most MOST rows drawn by the seed."""
    score = np.full(len(features), np.nan)
    order = np.argsort(index.astype(str).to_numpy(), kind="stable")
    kept = order if len(order) <= MOST else np.random.default_rng(seed).choice(order, MOST, replace=False)
    try:
        model = fit_lookalike(features.iloc[kept].reset_index(drop=True), high[kept], seed=seed)
    except UnfitData:
        return score
    others = np.flatnonzero(~high)
    score[others] = model.score(features.iloc[others].reset_index(drop=True))
    return score
