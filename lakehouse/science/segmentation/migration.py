"""Segments over time: labels that stay with their segment, and who moved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lakehouse.science.propensity.unfit import UnfitData
from lakehouse.science.segmentation.clusters import NOISE


def keep_labels(before: pd.Series[Any], now: pd.Series[Any], least: float = 0.3, unused: int = 0) -> pd.Series[Any]:
    """The new run's labels renamed to those of the last run's segments they continue.

    The matching of new to old segments with the largest sum of Jaccard overlaps over customers in both runs
    (Kuhn 1955, Hungarian method); a match below `least` is none. A segment without match gets a number never
    used before in `before`, so that a name does not change its meaning.

    Args:
        before, now: segment numbers indexed by customer; −1 is noise and stays it.
        least: Jaccard overlap from which on a segment continues another.
        unused: numbers below it were used in runs before, perhaps by segments that nobody is in any more.

    Raises:
        UnfitData: a customer occurs twice, or no customer is in both runs.
    """
    from scipy.optimize import linear_sum_assignment

    if before.index.has_duplicates or now.index.has_duplicates:
        raise UnfitData("labels: a customer occurs twice in a run; give one row per customer")
    both = before.index.intersection(now.index)
    if len(both) == 0:
        raise UnfitData(f"labels: none of {len(now)} customers was in the last run ({len(before)}); number them anew")
    old, new = before.loc[both].to_numpy(), now.loc[both].to_numpy()
    olds = sorted(int(one) for one in before.unique() if one != NOISE)
    news = sorted(int(one) for one in now.unique() if one != NOISE)
    overlap = np.array([[_jaccard(new == b, old == a) for a in olds] for b in news]).reshape(len(news), len(olds))
    rows, columns = linear_sum_assignment(-overlap)
    names = {NOISE: NOISE}
    for row, column in zip(rows, columns, strict=True):
        if overlap[row, column] >= least:
            names[news[row]] = olds[column]
    unused = max(unused, max(olds, default=-1) + 1)
    for one in news:
        if one not in names:
            names[one], unused = unused, unused + 1
    return now.map(names).astype(np.int64)


def migration(before: pd.Series[Any], now: pd.Series[Any]) -> pd.DataFrame:
    """Customers by segment of the last run (rows) and of this one (columns); "new" and "gone" beside them."""
    both = pd.concat([before.rename("before"), now.rename("now")], axis=1)
    was = both["before"].map(lambda one: "new" if pd.isna(one) else str(int(one)))
    became = both["now"].map(lambda one: "gone" if pd.isna(one) else str(int(one)))
    return pd.crosstab(was, became)


def _jaccard(a: Any, b: Any) -> float:
    union = int(np.sum(a | b))
    return float(np.sum(a & b) / union) if union else 0.0
