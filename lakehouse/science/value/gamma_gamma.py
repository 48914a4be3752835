"""Gamma-Gamma: what a customer spends per purchase, few purchases shrunk towards everyone's mean.

Fader & Hardie 2013, "The Gamma-Gamma model of monetary value"; Colombo & Jiang 1999.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from lakehouse.science.propensity.unfit import UnfitData, Vector, numbers
from lakehouse.science.value.estimation import Estimate, Prior, maximise


@dataclass(frozen=True)
class GammaGamma:
    """Spending per purchase ~ Gamma(p, rate ν), ν ~ Gamma(q, rate gamma); independent of how often one buys."""

    p: float
    q: float
    gamma: float

    @property
    def mean(self) -> float:
        """Mean spending per purchase of the population, pγ/(q−1); infinite for q ≤ 1."""
        return self.p * self.gamma / (self.q - 1) if self.q > 1 else float("inf")

    def log_likelihood(self, x: Vector, zbar: Vector, customers: Vector) -> float:
        """Σ customers·[lnΓ(px+q) − lnΓ(px) − lnΓ(q) + q·ln γ + (px−1)·ln z̄ + px·ln x − (px+q)·ln(γ + x·z̄)]."""
        px = self.p * x
        each = gammaln(px + self.q) - gammaln(px) - gammaln(self.q) + self.q * np.log(self.gamma)
        each += (px - 1) * np.log(zbar) + px * np.log(x) - (px + self.q) * np.log(self.gamma + x * zbar)
        return float(customers @ each)

    def expected(self, x: ArrayLike, zbar: ArrayLike) -> Vector:
        """E[spending per purchase] given x purchases of mean z̄: p(γ + x·z̄)/(px + q − 1); x = 0 gives the mean.

        Raises:
            UnfitData: q ≤ 1, so that the population has no mean.
        """
        if self.q <= 1:
            raise UnfitData(f"q = {self.q:.3g}: spending has no mean; a few extreme amounts? Cap them and fit again")
        count, mean = np.asarray(x, dtype=np.float64), np.asarray(zbar, dtype=np.float64)
        return np.asarray(self.p * (self.gamma + count * mean) / (self.p * count + self.q - 1))


def fit_gamma_gamma(x: ArrayLike, zbar: ArrayLike, prior: Prior | None = None) -> tuple[GammaGamma, Estimate]:
    """Maximum likelihood over the customers with x > 0 and z̄ > 0.

    Args:
        x: purchases the mean is over; usually the repeat ones.
        zbar: their mean, in money.

    Raises:
        UnfitData: nobody with x > 0 and z̄ > 0, or the data do not tell the parameters apart.
    """
    counts, means = numbers(x, "x"), numbers(zbar, "zbar")
    kept = (counts > 0) & (means > 0)
    if not kept.any():
        raise UnfitData(f"zbar: none of {len(counts)} customers has x > 0 and spent more than 0; use a longer period")
    rows, customers = np.unique(np.column_stack([counts[kept], means[kept]]), axis=0, return_counts=True)
    weights = customers.astype(np.float64)
    typical = float(np.average(rows[:, 1], weights=weights))
    estimate = maximise(
        lambda p: GammaGamma(*p).log_likelihood(rows[:, 0], rows[:, 1], weights),
        ("p", "q", "gamma"),
        float(weights.sum()),
        [(2.0, 3.0, typical), (6.0, 4.0, typical / 2)],
        prior,
    )
    return GammaGamma(**estimate.values), estimate


def dependence(x: ArrayLike, zbar: ArrayLike) -> float:
    """Correlation of ln x with ln z̄ over repeat buyers; the model assumes about 0."""
    counts, means = numbers(x, "x"), numbers(zbar, "zbar")
    kept = (counts > 0) & (means > 0)
    return float(np.corrcoef(np.log(counts[kept]), np.log(means[kept]))[0, 1])
