"""One model per segment or channel, thin ones held near all customers by as much as the groups themselves agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lakehouse.science.pooling.random_effects import dersimonian_laird
from lakehouse.science.propensity.unfit import UnfitData
from lakehouse.science.value.estimation import Estimate, Prior
from lakehouse.science.value.histories import Histories

Fit = Callable[[Histories, Prior | None], tuple[Any, Estimate]]
WIDEST, NARROWEST = 2.0, 0.05


@dataclass(frozen=True)
class Pooled:
    """The model of all, one per group, and the spread of the groups' log parameters that the data show."""

    whole: Any
    groups: Mapping[str, Any]
    estimates: Mapping[str, Estimate]
    spread: float


def fit_groups(fit: Fit, histories: Mapping[str, Histories]) -> Pooled:
    """Fit all customers together, then each group with a prior centred there: empirical Bayes (Efron & Morris 1975, JASA 70).

    The prior's spread τ is where the mean of (group − all)² of log parameters, each weighed by its own precision, is
    what sampling and τ together give (DerSimonian & Laird 1986, over all parameters at once), within .05 and 2. Groups too
    thin to be fitted alone tell nothing of τ and are fitted with it.

    Args:
        fit: `fit_pareto_nbd`, `fit_bg_nbd`.
        histories: by group, two or more.

    Raises:
        UnfitData: fewer than two groups, or all customers together do not tell the parameters apart.
    """
    if len(histories) < 2:
        raise UnfitData(f"groups: received {list(histories)}; two or more are needed to pool")
    parts = list(histories.values())
    together = Histories(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("x", "t_x", "T", "customers")))
    whole, estimate = fit(together, None)
    spread = _spread(fit, histories, estimate)
    fitted = {name: fit(seen, Prior.pooled(estimate, spread)) for name, seen in histories.items()}
    return Pooled(whole, {n: m for n, (m, _) in fitted.items()}, {n: e for n, (_, e) in fitted.items()}, spread)


def pooled_means(groups: pd.DataFrame) -> pd.DataFrame:
    """The mean to be expected in each group, a thin group's held near all: empirical Bayes (Efron & Morris 1975, JASA 70).

    all + (own − all)·λ with λ = τ² ÷ (τ² + s² ÷ n): s² the variance within groups, τ² between them (DerSimonian & Laird 1986; of one s²
    the analysis of variance), all the groups' mean weighed by λ. The interval (95 %, normal) has variance λ·s²/n + (1 − λ)²·V with
    V = the mean's variance + 2k/(k − 3)·(λ/Σλ)·(own − all)², since τ² is estimated from k groups (Morris 1983, JASA 78; k − 3 at least 1).

    Args:
        groups: by group (index) count, total and squares: number, sum and sum of squares of its values.

    Returns:
        Frame by group: mean, low, high, weight (λ); NaN where every group has one value, which tells nothing of chance.

    Raises:
        UnfitData: a column is absent, or a group without values.
    """
    absent = [c for c in ("count", "total", "squares") if c not in groups.columns]
    if absent or groups.empty or (groups["count"] < 1).any():
        raise UnfitData(f"groups: {len(groups)} rows, columns missing: {absent}; count (1 or more), total and squares by group are needed")
    n, total, squares = (groups[c].to_numpy(dtype=np.float64) for c in ("count", "total", "squares"))
    own, free = total / n, n.sum() - len(n)
    within = max(float((squares - total * own).sum()) / free, 0.0) if free > 0 else np.nan
    between = dersimonian_laird(own, within / n) if within > 0 and len(n) > 1 else float(np.var(own)) if within == 0 else 0.0
    weight = between / (between + within / n) if between > 0 else np.zeros(len(n))
    mean, error, share = total.sum() / n.sum(), within / n.sum(), n / n.sum()
    if between > 0:
        mean, error, share = float(weight @ own) / weight.sum(), between / weight.sum(), weight / weight.sum()
    unsure = error + 2 * len(n) * share / max(len(n) - 3, 1) * (own - mean) ** 2
    half = 1.959964 * np.sqrt(weight * within / n + (1 - weight) ** 2 * unsure)
    expected = mean * (1 - weight) + own * weight
    frame = {"mean": expected, "low": expected - half, "high": expected + half, "weight": weight}
    return pd.DataFrame(frame, index=groups.index) if free > 0 else pd.DataFrame(np.nan, index=groups.index, columns=list(frame))


def _spread(fit: Fit, histories: Mapping[str, Histories], whole: Estimate) -> float:
    centre = np.log(list(whole.values.values()))
    squares, variances = [], []
    for seen in histories.values():
        try:
            _, alone = fit(seen, None)
        except UnfitData:  # too thin to stand alone
            continue
        squares.append((np.log(list(alone.values.values())) - centre) ** 2)
        variances.append(np.diag(alone.covariance))
    if not squares:
        return NARROWEST
    off, noise = np.concatenate(squares), np.concatenate(variances)
    weight = 1 / noise
    excess = float(weight @ (off - noise)) / float(weight.sum())
    return float(np.clip(np.sqrt(max(excess, 0.0)), NARROWEST, WIDEST))
