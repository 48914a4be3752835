"""Shifted beta-geometric: customers under contract who renew, or do not, at the end of each period.

Fader & Hardie 2007, "How to project customer retention", Journal of Interactive Marketing 21(1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln

from lakehouse.science.propensity.unfit import UnfitData, Vector, numbers
from lakehouse.science.value.estimation import Estimate, Prior, maximise


@dataclass(frozen=True)
class ShiftedBetaGeometric:
    """Chance of not renewing θ ~ Beta(alpha, beta)."""

    alpha: float
    beta: float

    def survival(self, periods: ArrayLike) -> Vector:
        """Share still under contract after t periods: B(α, β + t)/B(α, β)."""
        t = np.asarray(periods, dtype=np.float64)
        return np.asarray(np.exp(betaln(self.alpha, self.beta + t) - betaln(self.alpha, self.beta)))

    def retention(self, periods: ArrayLike) -> Vector:
        """Share of those left after t − 1 periods who renew: (β + t − 1)/(α + β + t − 1), rising with t."""
        t = np.asarray(periods, dtype=np.float64)
        return np.asarray((self.beta + t - 1) / (self.alpha + self.beta + t - 1))

    def log_likelihood(self, survivors: Vector) -> float:
        """Σ lost(t)·ln P(T = t) + survivors(last)·ln S(last), P(T = t) = S(t−1) − S(t) = B(α+1, β+t−1)/B(α, β)."""
        lost = survivors[:-1] - survivors[1:]
        t = np.arange(1, len(survivors))
        whole = betaln(self.alpha, self.beta)
        left = betaln(self.alpha + 1, self.beta + t - 1) - whole
        stayed = betaln(self.alpha, self.beta + len(lost)) - whole
        return float(lost @ left + survivors[-1] * stayed)

    def residual_lifetime(self, renewals: int, discount: float) -> float:
        """Discounted periods still expected of a customer about to renew for the n-th time, n = `renewals` + 1.

        Σₜ S(n + t)/S(n − 1) ÷ (1 + discount)ᵗ over t = 0, 1, …, payment due at each renewal (Fader &
        Hardie 2010, Marketing Science 29, eq. 6), summed until the terms vanish.

        Raises:
            UnfitData: discount is not above 0, without which the sum may not end.
        """
        if discount <= 0:
            raise UnfitData(f"discount: received {discount}; a rate above 0 per period is valid")
        periods = np.arange(int(np.ceil(40 / np.log1p(discount))) + 1)
        kept = self.survival(renewals + 1 + periods) / self.survival(renewals)
        return float(kept @ (1 + discount) ** -periods.astype(np.float64))


def fit_renewals(survivors: ArrayLike, prior: Prior | None = None) -> tuple[ShiftedBetaGeometric, Estimate]:
    """Maximum likelihood from a cohort's numbers under contract at the start and after each period.

    Args:
        survivors: [n₀, n₁, …], never rising; counts, or percentages for the point alone.

    Raises:
        UnfitData: fewer than three numbers, or rising ones, or nobody was ever lost.
    """
    numbers_left = numbers(survivors, "survivors")
    if len(numbers_left) < 3 or (np.diff(numbers_left) > 0).any() or numbers_left[0] <= numbers_left[-1]:
        raise UnfitData(
            f"survivors: received {numbers_left[:8].tolist()}; the cohort's size at the start and after each of two "
            "or more periods is valid, never rising, some lost"
        )
    estimate = maximise(
        lambda p: ShiftedBetaGeometric(*p).log_likelihood(numbers_left),
        ("alpha", "beta"),
        float(numbers_left[0]),
        [(1.0, 1.0), (0.5, 5.0)],
        prior,
    )
    return ShiftedBetaGeometric(**estimate.values), estimate
