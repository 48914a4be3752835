"""Pareto/NBD: buying at a rate of one's own, and leaving at a moment of one's own.

Schmittlein, Morrison & Colombo 1987, Management Science 33; in the form of Fader & Hardie 2005, "A note on
deriving the Pareto/NBD model".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, hyp2f1, hyperu

from lakehouse.science.propensity.unfit import Vector
from lakehouse.science.value.estimation import Estimate, Prior, maximise
from lakehouse.science.value.histories import Histories


@dataclass(frozen=True)
class ParetoNbd:
    """Rates λ ~ Gamma(r, rate alpha); leaving rates μ ~ Gamma(s, rate beta)."""

    r: float
    alpha: float
    s: float
    beta: float

    def log_likelihood(self, seen: Histories) -> float:
        """ln L = Σ customers · ln{Γ(r+x)αʳβˢ/Γ(r) · [(α+T)^−(r+x)·(β+T)^−s + s/(r+s+x)·A₀]}.

        A₀ = ∫ over leaving moments, see `_gone`.
        """
        start = gammaln(self.r + seen.x) - gammaln(self.r) + self.r * np.log(self.alpha) + self.s * np.log(self.beta)
        return float(seen.customers @ (start + np.logaddexp(self._still(seen), self._gone(seen))))

    def alive(self, seen: Histories) -> Vector:
        """P(still a customer at T), one per row."""
        return np.asarray(np.exp(-np.logaddexp(0.0, self._gone(seen) - self._still(seen))))

    def expected(self, seen: Histories, t: ArrayLike) -> Vector:
        """E[purchases in (T, T + t]] = P(alive) · (r+x)(β+T)/((α+T)(s−1)) · [1 − ((β+T)/(β+T+t))^(s−1)]."""
        s = self.s if abs(self.s - 1) > 1e-9 else 1 + 1e-9
        age = self.beta + seen.T
        left = -np.expm1((s - 1) * np.log(age / (age + np.asarray(t, dtype=np.float64))))
        return np.asarray(self.alive(seen) * (self.r + seen.x) * age / ((self.alpha + seen.T) * (s - 1)) * left)

    def expected_of_new(self, t: ArrayLike) -> Vector:
        """E[repeat purchases within t of the first one] = rβ/(α(s−1)) · [1 − (β/(β+t))^(s−1)]."""
        s = self.s if abs(self.s - 1) > 1e-9 else 1 + 1e-9
        left = -np.expm1((s - 1) * np.log(self.beta / (self.beta + np.asarray(t, dtype=np.float64))))
        return np.asarray(self.r * self.beta / (self.alpha * (s - 1)) * left)

    def discounted(self, seen: Histories, rate: float) -> Vector:
        """Purchases expected over all future, discounted continuously by `rate` per unit of time.

        P(alive) · (r+x)/(α+T) · (β+T)ˢ · δ^(s−1) · Ψ(s, s; δ(β+T)) (Fader, Hardie & Lee 2005, Journal of
        Marketing Research 42, eq. 2).
        """
        age = self.beta + seen.T
        # Ψ(a, b; z) = z^(1−b)·Ψ(1+a−b, 2−b; z): with a = b = s the second form stays in range
        tail = age * hyperu(1.0, 2 - self.s, rate * age)
        return np.asarray(self.alive(seen) * (self.r + seen.x) / (self.alpha + seen.T) * tail)

    def _still(self, seen: Histories) -> Vector:
        return np.asarray(-(self.r + seen.x) * np.log(self.alpha + seen.T) - self.s * np.log(self.beta + seen.T))

    def _gone(self, seen: Histories) -> Vector:
        """ln[s/(r+s+x) · A₀], A₀ = F(t_x)/(m+t_x)^(r+s+x) − F(T)/(m+T)^(r+s+x), m = max(α, β).

        F(y) = ₂F₁(r+s+x, k; r+s+x+1; |α−β|/(m+y)), k = s+1 if α ≥ β, else r+x.
        """
        power = self.r + self.s + seen.x
        most, apart = max(self.alpha, self.beta), abs(self.alpha - self.beta)
        second = self.s + 1 if self.alpha >= self.beta else self.r + seen.x

        def part(y: Vector) -> Vector:
            return np.asarray(np.log(hyp2f1(power, second, power + 1, apart / (most + y))) - power * np.log(most + y))

        upper, lower = part(seen.t_x), part(seen.T)
        with np.errstate(divide="ignore"):
            difference = np.log(-np.expm1(np.minimum(lower - upper, 0.0)))
        return np.asarray(np.log(self.s / power) + upper + difference)


def fit_pareto_nbd(seen: Histories, prior: Prior | None = None) -> tuple[ParetoNbd, Estimate]:
    """Maximum likelihood (or posterior mode) on the distinct histories.

    Raises:
        UnfitData: the data do not tell the parameters apart.
    """
    rows = seen.distinct()
    typical = max(float(np.average(rows.T, weights=rows.customers)) / 4, 1e-3)
    estimate = maximise(
        lambda p: ParetoNbd(*p).log_likelihood(rows),
        ("r", "alpha", "s", "beta"),
        rows.total,
        [(0.5, typical, 0.5, typical)],
        prior,
    )
    return ParetoNbd(**estimate.values), estimate
