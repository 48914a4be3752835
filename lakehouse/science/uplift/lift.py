"""Did the campaign move anything in total: the difference of two arms, claimed only where it is beyond chance."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np
from numpy.typing import ArrayLike

from lakehouse.science.propensity.unfit import UnfitData, binary, numbers


@dataclass(frozen=True)
class Lift:
    """Means of both arms, their difference with its 95 % interval, and the two-sided p-value."""

    treated: float
    control: float
    difference: float
    low: float
    high: float
    p_value: float

    @property
    def claimed(self) -> bool:
        """The whole interval lies above 0."""
        return self.low > 0


def total_lift(outcome: ArrayLike, treated: ArrayLike) -> Lift:
    """Difference of means with Neyman's standard error √(s₁²/n₁ + s₀²/n₀), conservative under randomisation.

    Neyman 1923; Imbens & Rubin 2015, Causal Inference, ch. 6.

    Args:
        outcome: 0/1 or amounts.
        treated: 1 if contacted, 0 if held out at random.

    Raises:
        UnfitData: fewer than two customers in an arm.
    """
    t = binary(treated, "treated")
    y = numbers(outcome, "outcome", len(t))
    one, other = y[t == 1], y[t == 0]
    if min(len(one), len(other)) < 2:
        raise UnfitData(f"treated: {len(one)} contacted, {len(other)} held out; two of each are needed")
    difference = float(one.mean() - other.mean())
    error = sqrt(float(np.var(one, ddof=1)) / len(one) + float(np.var(other, ddof=1)) / len(other))
    p = erfc(abs(difference) / error / sqrt(2)) if error > 0 else float(difference == 0)
    half = 1.959964 * error
    return Lift(float(one.mean()), float(other.mean()), difference, difference - half, difference + half, p)
