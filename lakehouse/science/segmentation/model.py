"""Segments as something that can be kept and applied to new customers: encoding, centres, names and words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lakehouse.science.propensity.encoding import Encoding, learn_encoding
from lakehouse.science.propensity.unfit import UnfitData
from lakehouse.science.segmentation.clusters import Matrix
from lakehouse.science.segmentation.profiles import profiles
from lakehouse.science.segmentation.structure import find_segments

TIERS = (0.05, 0.20, 0.50)


@dataclass(frozen=True)
class SegmentModel:
    """The nearest centre in the encoded space; segment 0 is the most valuable. `profile` says each in words."""

    encoding: Encoding
    centres: Matrix
    profile: pd.DataFrame
    evidence: pd.DataFrame
    structured: bool

    def table(self, features: pd.DataFrame) -> pd.DataFrame:
        """Columns segment (number), words, and certainty: 1 − distance to the own centre ÷ distance to the next one."""
        x = self.encoding.matrix(features)
        apart = np.sqrt(np.maximum(((x[:, None, :] - self.centres[None, :, :]) ** 2).sum(axis=2), 0.0))
        nearest = np.argmin(apart, axis=1)
        two = np.sort(apart, axis=1)[:, :2]
        words = self.profile["words"].to_numpy(dtype=object)[nearest]
        sure = 1 - two[:, 0] / np.maximum(two[:, 1], 1e-12)
        return pd.DataFrame({"segment": nearest.astype(np.int64), "words": words, "certainty": sure}, index=features.index)


def fit_segments(features: pd.DataFrame, value: pd.Series[float], *, most: int = 800, references: int = 5, seed: int = 0) -> SegmentModel:
    """Clusters where there is structure (`find_segments`), else tiers of value with `structured` False; numbered by falling mean value.

    Numbering by value keeps a segment's number between runs as long as the order of value holds; `keep_labels` does it by
    overlap of members where that is not enough.

    Args:
        features: numbers, one row per customer.
        value: of each, in money.
    """
    encoding = learn_encoding(features)
    x = encoding.matrix(features)
    try:
        found = find_segments(x, k_range=(2, 5), most=most, references=references, seed=seed)
        labels, evidence, structured = found.labels, found.evidence, True
    except UnfitData:
        rank = value.rank(method="first", ascending=False).to_numpy() / len(value)
        labels, structured = np.searchsorted(np.asarray(TIERS), rank, side="left").astype(np.int64), False
        evidence = pd.DataFrame({"accepted": [False]}, index=pd.Index([0], name="k"))
    worth = value.to_numpy(dtype=np.float64)
    order = sorted(np.unique(labels), key=lambda one: -float(worth[labels == one].mean()))
    renamed = np.empty(len(labels), dtype=np.int64)
    for new, old in enumerate(order):
        renamed[labels == old] = new
    centres = np.vstack([x[renamed == one].mean(axis=0) for one in range(len(order))])
    return SegmentModel(encoding, centres, profiles(features, renamed, worth), evidence, structured)
