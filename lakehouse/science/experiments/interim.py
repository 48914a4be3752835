"""May we stop? The rule is declared before the start; each look is judged by it and by nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from lakehouse.science.experiments.confidence_sequences import half_width, tuning
from lakehouse.science.experiments.estimate import critical
from lakehouse.science.experiments.multiplicity import adjusted_alpha
from lakehouse.science.experiments.sequential import spending_boundaries
from lakehouse.science.unfit import UnfitData

Rule = Literal["fixed", "obrien_fleming", "pocock", "always_valid"]
SMALLEST_STEP = 0.02


@dataclass(frozen=True)
class StoppingPlan:
    """rule, planned units of both arms together, error rate of the experiment, how many KPIs share it.

    fixed: one look, when all planned units are in. obrien_fleming, pocock: looks at any time, error spent as units
    come in. always_valid: any look, also beyond the plan. Two-sided.
    """

    rule: Rule
    planned: int
    alpha: float = 0.10
    kpis: int = 1

    def __post_init__(self) -> None:
        if self.rule not in ("fixed", "obrien_fleming", "pocock", "always_valid"):
            raise UnfitData(f"StoppingPlan: rule = {self.rule!r}; choose fixed, obrien_fleming, pocock or always_valid.")
        if self.planned < 2:
            raise UnfitData(f"StoppingPlan: planned = {self.planned} units; give the number from the power calculation.")


@dataclass(frozen=True)
class Look:
    """What a look showed: units of both arms so far, effect and its standard error (KPI's unit)."""

    units: int
    effect: float
    error: float


@dataclass(frozen=True)
class Verdict:
    """stop: the effect is there, or the experiment is over. low, high: an interval that allows for all looks.

    bound: standard errors the effect must reach at this look. why: in words.
    """

    stop: bool
    effective: bool
    low: float
    high: float
    bound: float
    why: str


def _bound(plan: StoppingPlan, looks: Sequence[Look], alpha: float) -> float:
    now = looks[-1]
    if plan.rule == "fixed":
        return critical(1 - alpha, "two-sided")
    if plan.rule == "always_valid":
        width = half_width(np.array([1.0]), np.array([now.units]), tuning(alpha, plan.planned), alpha)
        return float(width[0])
    times = np.array([look.units for look in looks]) / plan.planned
    return float(spending_boundaries(plan.rule, times, alpha)[-1])


def judge(plan: StoppingPlan, looks: Sequence[Look]) -> Verdict:
    """Judge the last of all looks taken so far, in order.

    Every look must be listed, also those that decided nothing: one left out is a peek unaccounted for. Looks of the
    spending rules are at least 2 % of the plan apart.
    """
    units = [look.units for look in looks]
    if not looks or any(later <= earlier for earlier, later in pairwise(units)):
        raise UnfitData(f"judge: looks after {units} units; list all looks, each with more units than the one before.")
    spends = plan.rule in ("obrien_fleming", "pocock")
    if spends and np.diff(units, prepend=0).min() < SMALLEST_STEP * plan.planned:
        raise UnfitData(
            f"judge: looks after {units} of {plan.planned} units; wait for at least {SMALLEST_STEP:.0%} of the plan "
            "between looks, or declare always_valid."
        )
    if spends and len(units) > 1 and units[-2] >= plan.planned:
        raise UnfitData(f"judge: the error was spent after {units[-2]} of {plan.planned} units; no further look is allowed.")
    now = looks[-1]
    bound = _bound(plan, looks, adjusted_alpha(plan.alpha, plan.kpis))
    complete = now.units >= plan.planned
    early = plan.rule == "fixed" and not complete
    effective = not early and abs(now.effect) >= bound * now.error
    if early:
        why = f"{now.units:,} of {plan.planned:,} units: the fixed plan allows no verdict yet."
    elif effective:
        why = f"The effect is {abs(now.effect) / now.error:.2f} standard errors from zero, {bound:.2f} were needed."
    elif complete:
        why = f"All {plan.planned:,} units are in and the effect stayed below {bound:.2f} standard errors."
    else:
        why = f"Below {bound:.2f} standard errors so far: go on."
    reach = bound * now.error
    over = complete and plan.rule != "always_valid"
    return Verdict(effective or over, effective, now.effect - reach, now.effect + reach, bound, why)
