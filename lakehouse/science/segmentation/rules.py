"""Segments a person can read: a decision tree's leaves as rules, and rules before clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lakehouse.science.propensity.unfit import UnfitData, numbers


@dataclass(frozen=True)
class Rule:
    """A leaf: which customers, how many of the training ones, and their mean of the target."""

    segment: int
    limits: tuple[tuple[str, float, float], ...]
    customers: int
    mean: float

    @property
    def text(self) -> str:
        """ "orders > 3.5 and 10 < recency_days ≤ 40", bounds of one feature together."""
        parts = []
        for name, low, high in self.limits:
            if np.isinf(low):
                parts.append(f"{name} ≤ {high:g}")
            elif np.isinf(high):
                parts.append(f"{name} > {low:g}")
            else:
                parts.append(f"{low:g} < {name} ≤ {high:g}")
        return " and ".join(parts) or "everyone"

    def holds(self, features: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows the rule describes."""
        inside = np.ones(len(features), dtype=bool)
        for name, low, high in self.limits:
            value = features[name].to_numpy(dtype=np.float64)
            inside &= (value > low) & (value <= high)
        return inside


def tree_rules(features: pd.DataFrame, target: ArrayLike, *, leaves: int = 6, least: int = 50, seed: int = 0) -> list[Rule]:
    """Rules of a regression tree (CART, Breiman et al. 1984) of at most `leaves` leaves, best mean first.

    Each customer fulfils exactly one rule. Thresholds are rounded to three significant digits where that moves
    no training customer, so that they can be read.

    Args:
        features: numbers, without missing values.
        target: what the segments shall differ in: value, response 0/1.
        least: customers per leaf, at least.

    Raises:
        UnfitData: a feature with missing values or texts; fewer than 2·least rows.
    """
    from sklearn.tree import DecisionTreeRegressor

    aim = numbers(target, "target", len(features))
    if len(features) < 2 * least or leaves < 2:
        raise UnfitData(f"received {len(features)} rows, leaves={leaves}; {2 * least} rows and 2 leaves at least are valid")
    x = np.column_stack([numbers(features[name], str(name)) for name in features.columns])
    tree = DecisionTreeRegressor(max_leaf_nodes=leaves, min_samples_leaf=least, random_state=seed).fit(x, aim).tree_
    found: list[tuple[float, dict[str, tuple[float, float]], int]] = []

    def walk(node: int, limits: dict[str, tuple[float, float]], rows: NDArray[np.int64]) -> None:
        if tree.children_left[node] < 0:
            found.append((float(aim[rows].mean()), limits, len(rows)))
            return
        column = int(tree.feature[node])
        name, cut = str(features.columns[column]), _readable(float(tree.threshold[node]), x[:, column])
        low, high = limits.get(name, (-np.inf, np.inf))
        below = x[rows, column] <= cut
        walk(int(tree.children_left[node]), {**limits, name: (low, cut)}, rows[below])
        walk(int(tree.children_right[node]), {**limits, name: (cut, high)}, rows[~below])

    walk(0, {}, np.arange(len(x)))
    found.sort(key=lambda one: (-one[0], str(one[1])))
    return [
        Rule(place, tuple((name, *bounds) for name, bounds in limits.items()), count, mean)
        for place, (mean, limits, count) in enumerate(found)
    ]


def assign(rules: Sequence[Rule], features: pd.DataFrame) -> NDArray[np.int64]:
    """Segment of each customer by the rules; −1 where none holds."""
    segment = np.full(len(features), -1, dtype=np.int64)
    for rule in rules:
        segment[rule.holds(features)] = rule.segment
    return segment


def hybrid(claims: Mapping[str, NDArray[np.bool_]], clusters: NDArray[np.int64], names: Mapping[int, str] | None = None) -> pd.DataFrame:
    """One segment per customer from business rules and clusters: the first rule that claims one wins.

    Args:
        claims: name to who fulfils it, in order of precedence.
        clusters: cluster of everyone, for those no rule claims.
        names: of the clusters; "cluster 3" unless told; −1 is "no segment".

    Returns:
        Frame with segment, claimed_by (all rules that hold, "; " between) and overlap (more than one).
    """
    segment = np.array([(names or {}).get(int(c), f"cluster {c}" if c >= 0 else "no segment") for c in clusters], object)
    said: list[list[str]] = [[] for _ in range(len(clusters))]
    for name, holds in reversed(list(claims.items())):
        segment[holds] = name
        for row in np.flatnonzero(holds):
            said[int(row)].insert(0, name)
    claimed = ["; ".join(one) for one in said]
    return pd.DataFrame({"segment": segment, "claimed_by": claimed, "overlap": [len(one) > 1 for one in said]})


def _readable(cut: float, values: NDArray[np.float64]) -> float:
    rounded = float(f"{cut:.3g}")
    same: Any = np.array_equal(values <= cut, values <= rounded)
    return rounded if same else cut
