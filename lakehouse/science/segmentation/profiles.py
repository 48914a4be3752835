"""Segments in words: how many, what they are worth, and what sets them apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lakehouse.science.propensity.unfit import numbers

NOTABLE = 0.5


def profiles(features: pd.DataFrame, labels: NDArray[np.int64], value: ArrayLike, most: int = 3) -> pd.DataFrame:
    """One row per segment: customers, share, value, value_share, mean_value, words.

    The words name the up to `most` features whose segment mean lies furthest from the mean of all, in units of
    the standard deviation of all, if at least half of one: "high orders (7.2 against 2.1), low recency_days …".

    Args:
        features: numbers, one row per customer.
        labels: segment of each customer; −1 is noise.
        value: of each customer, in money.
    """
    worth = numbers(value, "value", len(features))
    x = features.to_numpy(dtype=np.float64)
    mean, spread = np.nanmean(x, axis=0), np.nanstd(x, axis=0)
    rows = []
    for one in np.unique(labels):
        inside = labels == one
        inner = np.nanmean(x[inside], axis=0)
        apart = (inner - mean) / np.where(spread > 0, spread, 1.0)
        order = np.argsort(-np.abs(apart), kind="stable")[:most]
        said = [
            f"{'high' if apart[j] > 0 else 'low'} {features.columns[j]} ({inner[j]:.3g} against {mean[j]:.3g})"
            for j in order
            if abs(apart[j]) >= NOTABLE
        ]
        total = float(worth[inside].sum())
        count = int(inside.sum())
        words = ", ".join(said) or "near the average in everything"
        rows.append((int(one), count, count / len(x), total, total / worth.sum(), total / count, words))
    columns = ["segment", "customers", "share", "value", "value_share", "mean_value", "words"]
    return pd.DataFrame(rows, columns=columns).set_index("segment")
