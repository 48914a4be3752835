"""Segments a person can read: a decision tree's leaves as rules, and rules before clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lakehouse.science.propensity.unfit import UnfitData, numbers

Limits = dict[str, tuple[float, float]]


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
    found = [(float(aim[rows].mean()), limits, len(rows)) for limits, rows in _leaves(tree, x, list(features.columns))]
    found.sort(key=lambda one: (-one[0], str(one[1])))
    return [
        Rule(place, tuple((name, *bounds) for name, bounds in limits.items()), count, mean)
        for place, (mean, limits, count) in enumerate(found)
    ]


def segment_rules(
    features: pd.DataFrame, segments: NDArray[np.int64], *, leaves: int | None = None, least: int = 20, seed: int = 0
) -> list[Rule]:
    """Rules that describe segments found otherwise: leaves of a classification tree (CART, Gini), each named after its commonest segment.

    Every segment weighs the same, so that a small one is described too; each customer fulfils exactly one rule. `mean` of a rule is the
    share of its training customers who are in the segment. A segment that is no leaf's commonest has no rule; with one segment,
    or too few rows, there are no rules.

    Args:
        features: numbers, without missing values.
        segments: of each customer.
        leaves: at most; unless told, two more than segments: what a person reads at a glance.
        least: customers per leaf, at least.
    """
    from sklearn.tree import DecisionTreeClassifier

    names, code = np.unique(segments, return_inverse=True)
    if len(names) < 2 or len(features) < 2 * least:
        return []
    x = np.column_stack([numbers(features[name], str(name)) for name in features.columns])
    kind = DecisionTreeClassifier(
        max_leaf_nodes=leaves or len(names) + 2, min_samples_leaf=least, class_weight="balanced", random_state=seed
    )
    weight, rules = len(code) / np.bincount(code), []

    def commonest(rows: NDArray[np.int64]) -> int:
        return int(np.argmax(np.bincount(code[rows], minlength=len(names)) * weight))

    for limits, rows in _leaves(kind.fit(x, code).tree_, x, list(features.columns), commonest):
        share = float(np.mean(code[rows] == commonest(rows)))
        rules.append(Rule(int(names[commonest(rows)]), tuple((name, *bounds) for name, bounds in limits.items()), len(rows), share))
    return sorted(rules, key=lambda one: (one.segment, -one.customers, str(one.limits)))


def told_apart(segment: pd.Series[Any], by_rule: pd.Series[Any]) -> pd.DataFrame:
    """By segment: customers, described (whom its rule holds for), precision (of them, in the segment) and recall (of the segment)."""
    rows = []
    for one in sorted(set(segment)):
        inside, said = (segment == one).to_numpy(), (by_rule == one).to_numpy()
        both = float(np.sum(inside & said))
        rows.append((int(one), int(inside.sum()), int(said.sum()), both / said.sum() if said.any() else np.nan, both / inside.sum()))
    columns = ["segment", "customers", "described", "precision", "recall"]
    return pd.DataFrame(rows, columns=columns).set_index("segment")


def _leaves(
    tree: Any, x: NDArray[np.float64], names: Sequence[Any], label: Callable[[NDArray[np.int64]], int] | None = None
) -> list[tuple[Limits, NDArray[np.int64]]]:
    """Each leaf's limits and its rows; thresholds as readable as the rows allow. Splits between two leaves of one label are taken back."""

    def walk(node: int, limits: Limits, rows: NDArray[np.int64]) -> list[tuple[Limits, NDArray[np.int64]]]:
        if tree.children_left[node] < 0:
            return [(limits, rows)]
        column = int(tree.feature[node])
        name, cut = str(names[column]), _readable(float(tree.threshold[node]), x[:, column])
        low, high = limits.get(name, (-np.inf, np.inf))
        below = x[rows, column] <= cut
        left = walk(int(tree.children_left[node]), {**limits, name: (low, cut)}, rows[below])
        right = walk(int(tree.children_right[node]), {**limits, name: (cut, high)}, rows[~below])
        if label is not None and len(left) == len(right) == 1 and label(left[0][1]) == label(right[0][1]):
            return [(limits, rows)]
        return left + right

    return walk(0, {}, np.arange(len(x)))


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
