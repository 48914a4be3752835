"""Two arms compared: proportions, means, ratios, clusters. Independent units unless a function says
otherwise."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lakehouse.science.experiments.estimate import Estimate, Floats, Side, conclude
from lakehouse.science.unfit import UnfitData


def mean_variance(arm: Floats, name: str) -> float:
    """Sampling variance of an arm's mean, s²/N. Refuses missing figures: they are rarely missing at random."""
    if len(arm) < 2:
        raise UnfitData(f"{name}: an arm has {len(arm)} units; at least two are needed.")
    if missing := int((~np.isfinite(arm)).sum()):
        raise UnfitData(
            f"{name}: {missing} of {len(arm)} figures of an arm are missing or infinite; "
            "give zero where nothing happened, or leave these units out of both arms by a rule set beforehand."
        )
    return float(arm.var(ddof=1)) / len(arm)


def compare_proportions(successes: tuple[int, int], units: tuple[int, int], *, level: float = 0.9, side: Side = "two-sided") -> Estimate:
    """(control, treatment) successes of units. Test: z with pooled variance; interval: unpooled (Wald).

    For rates very near 0 or 1 in small samples use the Bayesian reading beside it.
    """
    for won, among in zip(successes, units, strict=True):
        if not 0 <= won <= among or among == 0:
            raise UnfitData(f"compare_proportions: {won} successes of {among} units; give 0 ≤ successes ≤ units.")
    control, treatment = (won / among for won, among in zip(successes, units, strict=True))
    pooled = sum(successes) / sum(units)
    error = math.sqrt(control * (1 - control) / units[0] + treatment * (1 - treatment) / units[1])
    null = math.sqrt(pooled * (1 - pooled) * (1 / units[0] + 1 / units[1]))
    return conclude(control, treatment, error, sum(units), level=level, side=side, null_error=null)


def compare_means(control: Floats, treatment: Floats, *, level: float = 0.9, side: Side = "two-sided") -> Estimate:
    """Welch's t: unequal variances. control (N_c,), treatment (N_t,): the KPI per unit.

    df = (v_c + v_t)² / (v_c²/(N_c − 1) + v_t²/(N_t − 1)), v = s²/N (Welch 1947, Biometrika 34).
    """
    v_c, v_t = mean_variance(control, "compare_means"), mean_variance(treatment, "compare_means")
    spread = v_c**2 / (len(control) - 1) + v_t**2 / (len(treatment) - 1)
    return conclude(
        float(control.mean()),
        float(treatment.mean()),
        math.sqrt(v_c + v_t),
        len(control) + len(treatment),
        level=level,
        side=side,
        degrees=(v_c + v_t) ** 2 / spread if spread > 0 else math.inf,
    )


def ratio_error(numerator: Floats, denominator: Floats) -> float:
    """Standard error of Σx/Σy over units, by the delta method: sd(x − R·y) / (√N · mean(y)).

    Deng, Knoblich, Lu (2018), "Applying the delta method in metric analytics", KDD '18.
    """
    if denominator.sum() == 0:
        raise UnfitData("ratio_error: the denominator is zero in an arm; the ratio does not exist.")
    rate = numerator.sum() / denominator.sum()
    spread = math.sqrt(mean_variance(numerator - rate * denominator, "ratio_error"))
    return spread / abs(float(denominator.mean()))


def compare_ratios(
    control: tuple[Floats, Floats],
    treatment: tuple[Floats, Floats],
    *,
    level: float = 0.9,
    side: Side = "two-sided",
) -> Estimate:
    """(numerator, denominator) per randomised unit and arm, e.g. clicks and views per customer: Σx/Σy
    compared."""
    rates = [float(x.sum() / y.sum()) if y.sum() else math.nan for x, y in (control, treatment)]
    error = math.hypot(ratio_error(*control), ratio_error(*treatment))
    return conclude(rates[0], rates[1], error, len(control[0]) + len(treatment[0]), level=level, side=side)


def relative_lift(estimate: Estimate, control_error: float, treatment_error: float) -> Estimate:
    """The same comparison as a share of control, with its own interval by the delta method.

    Var(t/c) ≈ v_t/c² + t²·v_c/c⁴: control's own noise widens it.
    """
    if estimate.control == 0:
        raise UnfitData("relative_lift: the control's figure is zero; report the absolute effect.")
    ratio = estimate.treatment / estimate.control
    error = math.hypot(treatment_error, ratio * control_error) / abs(estimate.control)
    return conclude(1.0, ratio, error, estimate.units, level=estimate.level, side=estimate.side, degrees=estimate.degrees)


def compare_clusters(
    outcome: Floats,
    treated: npt.NDArray[np.bool_],
    cluster: npt.NDArray[np.generic],
    *,
    level: float = 0.9,
    side: Side = "two-sided",
) -> Estimate:
    """Difference of means with errors that allow units of a cluster to move together.

    outcome, treated, cluster: (N,). Least squares on (1, treated) with the sandwich Σ_g (Σ_i x_i e_i)(…)ᵀ,
    times G/(G − 1)·(N − 1)/(N − 2); t with G − 1 degrees of freedom (Liang & Zeger 1986; Cameron & Miller
    2015).
    """
    names, group = np.unique(cluster, return_inverse=True)
    count, clusters = len(outcome), len(names)
    per_arm = [len(np.unique(group[treated == arm])) for arm in (False, True)]
    if min(per_arm) < 2:
        raise UnfitData(f"compare_clusters: {per_arm[0]} and {per_arm[1]} clusters; give at least two per arm.")
    design = np.column_stack([np.ones(count), treated.astype(np.float64)])
    bread = np.linalg.inv(design.T @ design)
    level_, effect = bread @ design.T @ outcome
    scores = np.zeros((clusters, 2))
    np.add.at(scores, group, design * (outcome - design @ np.array([level_, effect]))[:, None])
    correction = clusters / (clusters - 1) * (count - 1) / (count - 2)
    variance = (bread @ (scores.T @ scores) @ bread)[1, 1] * correction
    return conclude(
        float(level_),
        float(level_ + effect),
        math.sqrt(variance),
        count,
        level=level,
        side=side,
        degrees=clusters - 1,
    )
