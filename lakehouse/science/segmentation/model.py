"""Segments as something that can be kept and applied to new customers: encoding, centres, names and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lakehouse.science.propensity.encoding import Encoding, learn_encoding
from lakehouse.science.propensity.unfit import UnfitData
from lakehouse.science.segmentation.clusters import Matrix
from lakehouse.science.segmentation.migration import keep_labels
from lakehouse.science.segmentation.profiles import profiles
from lakehouse.science.segmentation.rules import Rule, assign, segment_rules, told_apart
from lakehouse.science.segmentation.structure import find_segments

TIERS = (0.05, 0.20, 0.50)


@dataclass(frozen=True)
class SegmentModel:
    """The nearest centre in the encoded space. `profile` says each segment in words; `rules` describe them, approximately.

    numbers: of the segment of each centre; none given: their places.
    used: numbers below it were given by this training or one that it continues.
    """

    encoding: Encoding
    centres: Matrix
    profile: pd.DataFrame
    evidence: pd.DataFrame
    structured: bool
    numbers: tuple[int, ...] = ()
    used: int = 0
    rules: tuple[Rule, ...] = ()

    @property
    def named(self) -> NDArray[np.int64]:
        """Number of the segment of each centre."""
        return np.array(self.numbers or range(len(self.centres)), dtype=np.int64)

    def table(self, features: pd.DataFrame) -> pd.DataFrame:
        """Columns segment (number), words, certainty: 1 − distance to the own centre ÷ distance to the next one; rule: which describes
        the segment; by_rule: the segment whose rule holds for the customer, −1 without rules."""
        x = self.encoding.matrix(features)
        apart = np.sqrt(np.maximum(((x[:, None, :] - self.centres[None, :, :]) ** 2).sum(axis=2), 0.0))
        nearest = np.argmin(apart, axis=1)
        two = np.sort(apart, axis=1)[:, :2]
        words = self.profile["words"].to_numpy(dtype=object)[nearest]
        sure = 1 - two[:, 0] / np.maximum(two[:, 1], 1e-12)
        segment, said = self.named[nearest], self.said()
        return pd.DataFrame(
            {
                "segment": segment, "words": words, "certainty": sure, "rule": [said.get(int(one), "") for one in segment],
                "by_rule": assign(self.rules, features),
            },
            index=features.index,
        )  # fmt: skip

    def said(self) -> dict[int, str]:
        """Segment to the rule that describes it: its leaves, the largest first, " or " between."""
        leaves = sorted(self.rules, key=lambda one: -one.customers)
        return {one: " or ".join(leaf.text for leaf in leaves if leaf.segment == one) for one in {leaf.segment for leaf in leaves}}

    def described(self, features: pd.DataFrame) -> pd.DataFrame:
        """One row per segment: rule, precision (share in the segment of whom the rule holds for), recall (share of the segment)."""
        found, said = self.table(features), self.said()
        made = told_apart(found["segment"], found["by_rule"])
        return made.assign(rule=[said.get(int(one), "") for one in made.index])


def fit_segments(
    features: pd.DataFrame,
    value: pd.Series[float],
    *,
    predecessor: SegmentModel | None = None,
    most: int = 800,
    references: int = 5,
    seed: int = 0,
) -> SegmentModel:
    """Clusters where there is structure (`find_segments`), else tiers of value with `structured` False; numbered by falling mean value,
    described by rules where no feature is missing.

    With a predecessor, the segments it gives these customers are compared with the new ones: who continues a segment keeps its number
    (`keep_labels`), another segment gets a number never used before. Where the predecessor cannot score these features, all are new.

    Args:
        features: numbers, one row per customer.
        value: of each, in money.
        predecessor: the model whose numbers people know.
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
    centres = np.vstack([x[labels == one].mean(axis=0) for one in order])
    made = SegmentModel(encoding, centres, pd.DataFrame({"words": [""] * len(order)}), evidence, structured, used=len(order))
    if predecessor is not None:
        made = continuing(made, predecessor, features)
    renamed = np.empty(len(labels), dtype=np.int64)
    for number, old in zip(made.named, order, strict=True):
        renamed[labels == old] = number
    sorted_by_number = np.argsort(made.named)
    made = replace(made, centres=centres[sorted_by_number], numbers=tuple(int(n) for n in np.sort(made.named)))
    made = replace(made, profile=profiles(features, renamed, worth))
    if features.isna().any(axis=None):
        return made
    return replace(made, rules=tuple(segment_rules(features, made.table(features)["segment"].to_numpy(), least=max(len(x) // 50, 5))))


def continuing(made: SegmentModel, predecessor: SegmentModel, features: pd.DataFrame) -> SegmentModel:
    """The new segments with the numbers of those of the predecessor that they continue, by what both say of the same customers."""
    used = max(predecessor.used, int(predecessor.named.max()) + 1)
    now = made.table(features)["segment"]
    try:
        kept = keep_labels(predecessor.table(features)["segment"], now, unused=used)
    except UnfitData:
        kept = now + used
    name = dict(zip(now, kept, strict=True))
    used = max(used, max(name.values()) + 1)
    for one in made.named:  # a centre that is nearest to nobody
        if one not in name:
            name[one], used = used, used + 1
    return replace(made, numbers=tuple(int(name[one]) for one in made.named), used=used)


def continued(made: SegmentModel, predecessor: SegmentModel) -> Sequence[int]:
    """Numbers that both have."""
    return sorted(set(made.named.tolist()) & set(predecessor.named.tolist()))
