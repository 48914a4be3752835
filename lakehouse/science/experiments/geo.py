"""Experiments on markets: what a campaign added where it ran, against a mixture of markets where it did
not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lakehouse.science.experiments.estimate import Floats
from lakehouse.science.experiments.synthetic_control import synthetic_control
from lakehouse.science.unfit import UnfitData


@dataclass(frozen=True)
class GeoLift:
    """effect: per market and period (ATT); low, high: its interval; incremental: effect × markets × periods.

    lift: incremental ÷ what would have been sold. p_value: no effect in any period. weights: market → weight.
    """

    effect: float
    low: float
    high: float
    incremental: float
    lift: float
    p_value: float
    level: float
    misfit: float
    penalty: float | None
    weights: pd.Series
    gap: Floats


def conformal_p(treated: Floats, donors: Floats, before: int, null: float = 0.0, penalty: float | None = None) -> float:
    """Chance of a mean gap as large in the test periods, were the effect `null` in each of them.

    The series less `null` is fitted over all periods (T,), and the size of the mean gap of the test periods
    compared with that of every equally long window, wrapped around, so that dependence in time is kept. Not
    below 1/T. Chernozhukov, Wüthrich, Zhu (2021), "An exact and robust conformal inference method for
    counterfactual and synthetic controls", JASA 116(536); their statistic for an average effect.
    """
    adjusted = treated.copy()
    adjusted[before:] -= null
    ridge = penalty is not None
    fit = synthetic_control(adjusted, donors, len(treated), demean=True, ridge=ridge, penalty=penalty)
    length = len(treated) - before
    sums = np.cumsum(np.concatenate([[0.0], fit.gap, fit.gap[: length - 1]]))
    windows = np.abs(sums[length:] - sums[:-length])
    return float((windows >= windows[before] * (1 - 1e-12)).mean())


def geo_lift(
    panel: pd.DataFrame,
    treated: Sequence[str],
    before: int,
    *,
    ridge: bool = False,
    level: float = 0.9,
    interval: bool = True,
) -> GeoLift:
    """panel: one row per period in order, one column per market, totals of the KPI. before: periods ahead of
    the test.

    Treated markets are averaged; every other column is a donor, each around its own level before the test (leave
    out the columns of markets in which another cell ran). ridge: augmented synthetic control. interval: constant
    effects not rejected by `conformal_p`; infinite if none is.
    """
    if missing := sorted(set(treated) - set(panel.columns)):
        raise UnfitData(f"geo_lift: no market {missing}; the panel has {', '.join(map(str, panel.columns))}.")
    if not treated or len(treated) == panel.shape[1] or not 2 <= before < len(panel):
        raise UnfitData(f"geo_lift: {len(treated)} of {panel.shape[1]} markets, {before} of {len(panel)} periods.")
    values = panel.astype(float)
    y = values[list(treated)].mean(axis=1).to_numpy(dtype=np.float64)
    others = values.drop(columns=list(treated))
    x = others.to_numpy(dtype=np.float64)
    fit = synthetic_control(y, x, before, demean=True, ridge=ridge)
    after = fit.gap[before:]
    effect = float(after.mean())
    low, high = -math.inf, math.inf
    if interval:
        spread = max(float(fit.gap[:before].std()), 1e-9)
        low, high = (_edge(y, x, before, effect, direction * spread, 1 - level, fit.penalty) for direction in (-1, 1))
    return GeoLift(
        effect=effect,
        low=low,
        high=high,
        incremental=effect * len(after) * len(treated),
        lift=float(after.sum() / fit.counterfactual[before:].sum()),
        p_value=conformal_p(y, x, before, penalty=fit.penalty),
        level=level,
        misfit=fit.misfit,
        penalty=fit.penalty,
        weights=pd.Series(fit.weights, index=others.columns).sort_values(ascending=False),
        gap=fit.gap,
    )


def _edge(y: Floats, x: Floats, before: int, effect: float, step: float, alpha: float, penalty: float | None) -> float:
    """The last effect not rejected, going from the estimate in steps that double, then halving the last
    one."""

    def rejected(candidate: float) -> bool:
        return conformal_p(y, x, before, candidate, penalty) <= alpha

    inside, outside = effect, effect + step
    for _ in range(12):
        if rejected(outside):
            break
        inside, outside = outside, outside + (outside - effect)
    else:
        return math.copysign(math.inf, step)
    for _ in range(10):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if rejected(middle) else (middle, outside)
    return inside
