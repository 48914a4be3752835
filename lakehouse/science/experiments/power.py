"""How many units an experiment needs, and what a given number can see. Two arms, fixed horizon."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats
from scipy.optimize import brentq

from lakehouse.science.experiments.estimate import Floats, Side, critical
from lakehouse.science.experiments.multiplicity import adjusted_alpha
from lakehouse.science.unfit import UnfitData

CALENDAR_SHARES = (0.1, 0.9)
"""Shares of control and treatment for campaigns bound to a date, where most customers must be reached."""


@dataclass(frozen=True)
class Sizes:
    """Units per arm, rounded up."""

    control: int
    treatment: int

    @property
    def total(self) -> int:
        """Units in both arms."""
        return self.control + self.treatment


def _split(control: float, control_share: float) -> Sizes:
    # A hair off, so that an exact whole number is not rounded up by floating error.
    return Sizes(math.ceil(control - 1e-9), math.ceil(control * (1 - control_share) / control_share - 1e-9))


def _reaches(alpha: float, power: float, side: Side, kpis: int, control_share: float) -> tuple[float, float]:
    if not 0 < power < 1:
        raise UnfitData(f"power = {power}: give a share such as 0.8.")
    if not 0 < control_share < 1:
        raise UnfitData(f"control_share = {control_share}: give the control's share of units, such as 0.5.")
    return critical(1 - adjusted_alpha(alpha, kpis), side), float(stats.norm.ppf(power))


def size_proportions(
    control: float,
    treatment: float,
    *,
    alpha: float = 0.10,
    power: float = 0.8,
    side: Side = "two-sided",
    control_share: float = 0.5,
    kpis: int = 1,
) -> Sizes:
    """Units to tell two proportions apart, with pooled variance under no effect.

    n_c = [z_α √(p̄(1−p̄)(1 + 1/r)) + z_β √(p_c(1−p_c) + p_t(1−p_t)/r)]² / (p_t − p_c)², r = n_t/n_c,
    p̄ the mean weighted by arm (Fleiss, Levin, Paik 2003, "Statistical methods for rates and proportions",
    4.2–4.4, without continuity correction). alpha is for the whole experiment: beyond three KPIs it is
    divided by them.
    """
    for name, rate in (("control", control), ("treatment", treatment)):
        if not 0 < rate < 1:
            raise UnfitData(f"size_proportions: {name} = {rate}; give a rate between 0 and 1.")
    if control == treatment:
        raise UnfitData(f"size_proportions: both rates are {control}; name the smallest change worth seeing.")
    z_alpha, z_beta = _reaches(alpha, power, side, kpis, control_share)
    ratio = (1 - control_share) / control_share
    pooled = (control + ratio * treatment) / (1 + ratio)
    null = math.sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    real = math.sqrt(control * (1 - control) + treatment * (1 - treatment) / ratio)
    return _split(((z_alpha * null + z_beta * real) / (treatment - control)) ** 2, control_share)


def size_means(
    deviation: float,
    effect: float,
    *,
    alpha: float = 0.10,
    power: float = 0.8,
    side: Side = "two-sided",
    control_share: float = 0.5,
    kpis: int = 1,
    correlation: float = 0.0,
) -> Sizes:
    """Units to see a difference of means `effect`, given the KPI's standard `deviation` (same unit).

    n_c = (z_α + z_β)² σ² (1 + 1/r)(1 − ρ²) / effect²; ρ = `correlation` with the pre-period figure that
    CUPED will use. For a ratio pass `ratio_deviation(...)`.
    """
    if effect == 0 or deviation <= 0:
        raise UnfitData(f"size_means: effect = {effect}, deviation = {deviation}; neither may be zero.")
    z_alpha, z_beta = _reaches(alpha, power, side, kpis, control_share)
    ratio = (1 - control_share) / control_share
    spread = deviation**2 * (1 + 1 / ratio) * (1 - correlation**2)
    return _split((z_alpha + z_beta) ** 2 * spread / effect**2, control_share)


def ratio_deviation(numerator: Floats, denominator: Floats) -> float:
    """Standard deviation per unit of a ratio of sums, linearised: sd(x − R·y) / mean(y), R = Σx/Σy.

    numerator, denominator: (N,) per randomised unit, e.g. clicks and page views of a customer.
    """
    rate = numerator.sum() / denominator.sum()
    return float((numerator - rate * denominator).std(ddof=1) / denominator.mean())


def clustered(sizes: Sizes, cluster_size: float, correlation: float, variation: float = 0.0) -> Sizes:
    """Units when whole clusters are randomised: times the design effect 1 + ((1 + cv²)·m − 1)·ρ.

    cluster_size: mean units m per cluster; correlation: within clusters (ICC); variation: coefficient of
    variation of cluster sizes (Eldridge, Ashby, Kerry 2006, Int. J. of Epidemiology 35(5)).
    """
    inflation = 1 + ((1 + variation**2) * cluster_size - 1) * correlation
    return Sizes(math.ceil(sizes.control * inflation), math.ceil(sizes.treatment * inflation))


def power_means(
    deviation: float,
    effect: float,
    sizes: Sizes,
    *,
    alpha: float = 0.10,
    side: Side = "two-sided",
    kpis: int = 1,
) -> float:
    """Chance to see a true `effect`, both tails counted when two-sided."""
    error = deviation * math.sqrt(1 / sizes.control + 1 / sizes.treatment)
    reach, shift = critical(1 - adjusted_alpha(alpha, kpis), side), effect / error
    if side == "two-sided":
        return float(stats.norm.sf(reach - shift) + stats.norm.cdf(-reach - shift))
    return float(stats.norm.sf(reach - shift if side == "greater" else reach + shift))


def detectable_proportion(
    control: float,
    sizes: Sizes,
    *,
    alpha: float = 0.10,
    power: float = 0.8,
    side: Side = "two-sided",
    kpis: int = 1,
) -> float:
    """The smallest increase over the rate `control` seen with that power: the inverse of
    `size_proportions`."""
    share = sizes.control / sizes.total

    def lacking(lift: float) -> float:
        need = size_proportions(control, control + lift, alpha=alpha, power=power, side=side, control_share=share, kpis=kpis)
        return need.control - sizes.control

    largest = (1 - control) * (1 - 1e-9)
    if lacking(largest) > 0:
        raise UnfitData(f"detectable_proportion: {sizes} see no increase over {control}; plan more units.")
    return float(brentq(lacking, largest * 1e-6, largest, xtol=1e-9))


def weeks(sizes: Sizes, units_per_week: float, minimum: int = 1) -> int:
    """Duration in whole weeks, so that every weekday weighs the same; at least `minimum`."""
    if units_per_week <= 0:
        raise UnfitData(f"weeks: units_per_week = {units_per_week}; give the weekly number of new units.")
    return max(minimum, math.ceil(sizes.total / units_per_week))
