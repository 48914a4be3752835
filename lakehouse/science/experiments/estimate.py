"""The answer of a comparison: an effect, how sure, and against what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Side = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True)
class Estimate:
    """Treatment minus control, in the KPI's unit.

    error: standard error. low, high: interval at `level`; infinite on the open end of a one-sided one.
    degrees: of freedom of the t distribution, infinite for a normal one. units: randomised units in all.
    """

    control: float
    treatment: float
    effect: float
    error: float
    low: float
    high: float
    p_value: float
    level: float
    side: Side
    degrees: float
    units: int

    @property
    def relative(self) -> float:
        """Effect as a share of the control's figure; not a number when that is zero."""
        return self.effect / self.control if self.control else math.nan

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out zero."""
        return not self.low <= 0.0 <= self.high


def critical(level: float, side: Side, degrees: float = math.inf) -> float:
    """How many standard errors the interval reaches: two-sided 90 % is 1.645, one-sided 1.282."""
    if not 0 < level < 1:
        raise UnfitData(f"level = {level}: give a share such as 0.9 for 90 % intervals.")
    if side not in ("two-sided", "greater", "less"):
        raise UnfitData(f"side = {side!r}: declare 'two-sided', 'greater' or 'less'.")
    tail = (1 - level) / 2 if side == "two-sided" else 1 - level
    return float(stats.norm.isf(tail) if math.isinf(degrees) else stats.t.isf(tail, degrees))


def p_value(statistic: float, side: Side, degrees: float = math.inf) -> float:
    """Chance of a statistic at least this extreme in the declared direction, were there no effect."""
    law = stats.norm if math.isinf(degrees) else stats.t(degrees)
    if side == "two-sided":
        return float(2 * law.sf(abs(statistic)))
    return float(law.sf(statistic) if side == "greater" else law.cdf(statistic))


def conclude(
    control: float,
    treatment: float,
    error: float,
    units: int,
    *,
    level: float = 0.9,
    side: Side = "two-sided",
    degrees: float = math.inf,
    null_error: float | None = None,
) -> Estimate:
    """Interval and p-value from two figures and the standard error of their difference.

    null_error: the error used for the test only, when it differs under "no effect" (pooled proportions).
    """
    effect, reach = treatment - control, critical(level, side, degrees)
    tested = error if null_error is None else null_error
    if tested > 0:
        chance = p_value(effect / tested, side, degrees)
    else:
        chance = 1.0 if effect == 0 else p_value(math.copysign(math.inf, effect), side, degrees)
    return Estimate(
        control=control,
        treatment=treatment,
        effect=effect,
        error=error,
        low=-math.inf if side == "less" else effect - reach * error,
        high=math.inf if side == "greater" else effect + reach * error,
        p_value=chance,
        level=level,
        side=side,
        degrees=degrees,
        units=units,
    )
