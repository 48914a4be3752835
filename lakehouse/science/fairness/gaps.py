"""Gaps between groups of a protected attribute, each with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm

from lakehouse.science.propensity.unfit import UnfitData, Vector, binary, numbers

LEAST = 30


@dataclass(frozen=True)
class Gap:
    """Largest difference of a figure between two groups: `high_group` − `low_group`."""

    measure: str
    gap: float
    low: float
    high: float
    high_group: str
    low_group: str


def gaps(
    probability: ArrayLike, label: ArrayLike, group: Sequence[Any] | pd.Series[Any], threshold: float, level: float = 0.95
) -> list[Gap]:
    """Demographic parity, equal opportunity and calibration gaps of decisions p ≥ threshold.

    * demographic parity: share chosen, P(p ≥ t | group) (Dwork et al. 2012; fairlearn's
      `demographic_parity_difference`)
    * equal opportunity: share chosen of those with y = 1 (Hardt, Price & Srebro 2016, NeurIPS)
    * calibration: mean of y − p, so a probability means the same in each group (Kleinberg et al. 2017, ITCS)

    Each gap is that of the two groups furthest apart; its interval is for the difference of two independent
    means (proportions by Newcombe 1998, Statistics in Medicine 17, method 10), with the level divided among all
    pairs of groups (Bonferroni), since the pair was chosen for its gap.

    Args:
        probability, label, group: one per row; a missing group is the group "unknown".
        threshold: chosen from here on.
        level: of the intervals.

    Raises:
        UnfitData: fewer than two groups, or a group with fewer than 30 rows, or none of y = 1.
    """
    y = binary(label, "label")
    p = numbers(probability, "probability", len(y))
    names, code = group_codes(group, len(y))
    chosen = (p >= threshold).astype(np.float64)
    z = float(norm.ppf(1 - (1 - level) / (len(names) * (len(names) - 1))))
    everyone = np.ones(len(y), dtype=bool)
    return [
        _gap("demographic parity", chosen, code, everyone, names, z, proportion=True),
        _gap("equal opportunity", chosen, code, y == 1, names, z, proportion=True),
        _gap("calibration", y - p, code, everyone, names, z, proportion=False),
    ]


def group_table(probability: ArrayLike, label: ArrayLike, group: Sequence[Any] | pd.Series[Any], threshold: float) -> pd.DataFrame:
    """Per group: rows, rate, mean_probability, chosen (share), found (share of y = 1 chosen), off (mean y − p)."""
    y = binary(label, "label")
    p = numbers(probability, "probability", len(y))
    names, code = group_codes(group, len(y))
    rows = []
    for one in range(len(names)):
        inside = code == one
        chosen, true = p[inside] >= threshold, y[inside] == 1
        found = float(chosen[true].mean()) if true.any() else float("nan")
        rows.append((int(inside.sum()), y[inside].mean(), p[inside].mean(), chosen.mean(), found, (y - p)[inside].mean()))
    columns = ["rows", "rate", "mean_probability", "chosen", "found", "off"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(names, name="group"))


def reach(reached: ArrayLike, group: Sequence[Any] | pd.Series[Any], level: float = 0.95) -> pd.DataFrame:
    """Whom a campaign or an offer reached: share per group and its ratio to the best reached group.

    Returns:
        What `reach_of_counts` gives.

    Raises:
        UnfitData: fewer than two groups, one below 30 rows, nobody reached.
    """
    hit = binary(reached, "reached", both=False)
    names, code = group_codes(group, len(hit))
    index = pd.Index(names, name="group")
    counts = pd.Series(np.bincount(code, minlength=len(names)), index=index)
    return reach_of_counts(counts, pd.Series(np.bincount(code, weights=hit, minlength=len(names)), index=index), level)


def reach_of_counts(rows: pd.Series[Any], reached: pd.Series[Any], level: float = 0.95) -> pd.DataFrame:
    """Share reached per group, and its ratio to the best reached group.

    Ratios below four fifths are the usual sign of disparate impact (EEOC, 29 CFR 1607.4 D); intervals of ratios
    on the logarithm (Katz et al. 1978, Biometrics 34).

    Args:
        rows, reached: people per group, and how many of them were reached.

    Returns:
        Frame by group: rows, reached (share), ratio, low, high, disparate (the whole interval below 0.8).

    Raises:
        UnfitData: nobody was reached.
    """
    counts, hits = rows.to_numpy(dtype=np.float64), reached.to_numpy(dtype=np.float64)
    share = hits / counts
    best = int(np.argmax(share))
    if hits[best] == 0:
        raise UnfitData(f"reached: nobody of {counts.sum():.0f}; a campaign that reached nobody has no reach to compare")
    ratio = share / share[best]
    some = np.maximum(hits, 0.5)
    error = np.sqrt(np.maximum(1 / some - 1 / counts + 1 / hits[best] - 1 / counts[best], 0.0))
    error[best] = 0.0
    z = float(norm.ppf(0.5 + level / 2))
    middle = np.where(hits > 0, ratio, 0.5 / counts / share[best])
    low, high = np.where(hits > 0, middle * np.exp(-z * error), 0.0), middle * np.exp(z * error)
    return pd.DataFrame(
        {"rows": counts.astype(np.int64), "reached": share, "ratio": ratio, "low": low, "high": high, "disparate": high < 0.8},
        index=rows.index,
    )


def with_others(group: pd.Series[Any]) -> pd.Series[Any]:
    """The groups with those below 30 rows as one, "others"; what is missing is "unknown". Still below 30: joined to the largest."""
    text = group.map(lambda one: "unknown" if pd.isna(one) else str(one))
    joined = text.where(text.map(text.value_counts()) >= LEAST, "others")
    count = joined.value_counts()
    return joined.where(joined.map(count) >= LEAST, str(count.index[0])) if len(count) else joined


def group_codes(group: Sequence[Any] | pd.Series[Any], rows: int) -> tuple[list[str], Any]:
    """Sorted names of the groups, and for each row the place of its own.

    Raises:
        UnfitData: fewer than two groups, one below 30 rows, another length.
    """
    text = pd.Series(list(group)).map(lambda one: "unknown" if pd.isna(one) else str(one))
    if len(text) != rows:
        raise UnfitData(f"group: received {len(text)} values beside {rows} rows; give one per row")
    names = sorted(text.unique())
    code = text.map({name: place for place, name in enumerate(names)}).to_numpy()
    small = [name for name in names if int((text == name).sum()) < LEAST]
    if len(names) < 2 or small:
        raise UnfitData(
            f"group: groups {names}, below {LEAST} rows: {small}; two or more groups of {LEAST} rows are needed: join small ones"
        )
    return names, code


def _gap(measure: str, values: Vector, code: Any, kept: Any, names: list[str], z: float, *, proportion: bool) -> Gap:
    parts = [values[kept & (code == one)] for one in range(len(names))]
    empty = [name for name, part in zip(names, parts, strict=True) if len(part) == 0]
    if empty:
        raise UnfitData(f"{measure}: nobody with label 1 in the groups {empty}; join groups or widen the period")
    means = np.array([part.mean() for part in parts])
    top, bottom = int(np.argmax(means)), int(np.argmin(means))
    gap = float(means[top] - means[bottom])
    if proportion:
        below, above = _newcombe(parts[top], parts[bottom], z)
    else:
        error = np.sqrt(parts[top].var(ddof=1) / len(parts[top]) + parts[bottom].var(ddof=1) / len(parts[bottom]))
        below = above = z * float(error)
    return Gap(measure, gap, gap - below, gap + above, names[top], names[bottom])


def _newcombe(a: Vector, b: Vector, z: float) -> tuple[float, float]:
    (pa, la, ua), (pb, lb, ub) = _wilson(a, z), _wilson(b, z)
    return float(np.hypot(pa - la, ub - pb)), float(np.hypot(ua - pa, pb - lb))


def _wilson(values: Vector, z: float) -> tuple[float, float, float]:
    n, p = len(values), float(values.mean())
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)
    return p, centre - half, centre + half
