"""Less noise for the same effect: CUPED, stratification, winsorising."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lakehouse.science.experiments.compare import compare_means, mean_variance
from lakehouse.science.experiments.estimate import Estimate, Floats, Side, conclude
from lakehouse.science.unfit import UnfitData


def winsorised(control: Floats, treatment: Floats, upper: float = 0.99, lower: float = 0.0) -> tuple[Floats, Floats]:
    """Both arms, values beyond the quantiles of both together pulled in to them.

    One limit for both arms: separate limits would shrink a real effect in the tail.
    """
    if not 0 <= lower < upper <= 1:
        raise UnfitData(f"winsorised: quantiles {lower} and {upper}; give 0 ≤ lower < upper ≤ 1.")
    low, high = np.quantile(np.concatenate([control, treatment]), [lower, upper])
    return np.clip(control, low, high), np.clip(treatment, low, high)


def cuped(control: Floats, treatment: Floats, control_before: Floats, treatment_before: Floats) -> tuple[Floats, Floats]:
    """Both arms with what the time before explains taken out: y − θ·(x − x̄).

    *_before: (N,) or (N, K) figures from before the assignment, never touched by it. θ is the least-squares
    slope within arms and x̄ the mean over both, so means keep their meaning. Deng, Xu, Kohavi, Walker (2013),
    "Improving the sensitivity of online controlled experiments by utilizing pre-experiment data", WSDM '13.
    """
    x_c, x_t = (x.reshape(len(x), -1) for x in (control_before, treatment_before))
    if len(x_c) != len(control) or len(x_t) != len(treatment):
        raise UnfitData("cuped: give one pre-period row per unit, in the same order as the KPI.")
    inside_x = np.vstack([x_c - x_c.mean(axis=0), x_t - x_t.mean(axis=0)])
    inside_y = np.concatenate([control - control.mean(), treatment - treatment.mean()])
    slope = np.linalg.lstsq(inside_x, inside_y, rcond=None)[0]
    centre = np.vstack([x_c, x_t]).mean(axis=0)
    return control - (x_c - centre) @ slope, treatment - (x_t - centre) @ slope


def compare_cuped(
    control: Floats,
    treatment: Floats,
    control_before: Floats,
    treatment_before: Floats,
    *,
    level: float = 0.9,
    side: Side = "two-sided",
) -> Estimate:
    """Welch's t on the adjusted figures."""
    return compare_means(*cuped(control, treatment, control_before, treatment_before), level=level, side=side)


def compare_stratified(
    outcome: Floats,
    treated: npt.NDArray[np.bool_],
    stratum: npt.NDArray[np.generic],
    *,
    level: float = 0.9,
    side: Side = "two-sided",
) -> Estimate:
    """Differences within strata, weighted by the strata's share of all units (post-stratification).

    outcome, treated, stratum: (N,). effect = Σ_s w_s (ȳ_st − ȳ_sc), variance Σ_s w_s² (v_st + v_sc).
    Miratrix, Sekhon, Yu (2013), JRSS B 75(2).
    """
    control = treatment = variance = 0.0
    for one in np.unique(stratum):
        here = stratum == one
        arms = [outcome[here & (treated == arm)] for arm in (False, True)]
        if min(len(arm) for arm in arms) < 2:
            raise UnfitData(
                f"compare_stratified: stratum {one!r} has {len(arms[0])} control and {len(arms[1])} treated "
                "units; merge it with another so that both have at least two."
            )
        weight = here.mean()
        control += weight * arms[0].mean()
        treatment += weight * arms[1].mean()
        variance += weight**2 * sum(mean_variance(arm, "compare_stratified") for arm in arms)
    return conclude(float(control), float(treatment), math.sqrt(variance), len(outcome), level=level, side=side)
