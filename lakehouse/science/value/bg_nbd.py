"""BG/NBD: buying at a rate of one's own, and after each purchase a chance of never coming back.

Fader, Hardie & Lee 2005, "Counting your customers" the easy way, Marketing Science 24(2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, gammaln, hyp2f1

from lakehouse.science.propensity.unfit import Vector
from lakehouse.science.value.estimation import Estimate, Prior, maximise
from lakehouse.science.value.histories import Histories


@dataclass(frozen=True)
class BgNbd:
    """Rates λ ~ Gamma(r, rate alpha); chance of leaving after a purchase p ~ Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float

    def log_likelihood(self, seen: Histories) -> float:
        """ln L = Σ customers · ln[Γ(r+x)αʳ/Γ(r) · B(a,b+x)/B(a,b) · ((α+T)^−(r+x) + 1{x>0}·a/(b+x−1)·(α+t_x)^−(r+x))].

        Eq. 6 of the paper.
        """
        x, many = seen.x, seen.x > 0
        start = gammaln(self.r + x) - gammaln(self.r) + self.r * np.log(self.alpha)
        stay = betaln(self.a, self.b + x) - betaln(self.a, self.b)
        alive = -(self.r + x) * np.log(self.alpha + seen.T)
        gone = np.full(len(x), -np.inf)
        gone[many] = np.log(self.a / (self.b + x[many] - 1)) - (self.r + x[many]) * np.log(self.alpha + seen.t_x[many])
        return float(seen.customers @ (start + stay + np.logaddexp(alive, gone)))

    def alive(self, seen: Histories) -> Vector:
        """P(still a customer at T), one per row (Fader, Hardie & Lee 2008, note on P(alive))."""
        many = seen.x > 0
        odds = np.zeros(len(seen.x))
        ratio = np.log((self.alpha + seen.T[many]) / (self.alpha + seen.t_x[many]))
        odds[many] = self.a / (self.b + seen.x[many] - 1) * np.exp((self.r + seen.x[many]) * ratio)
        return np.asarray(1 / (1 + odds))

    def expected(self, seen: Histories, t: ArrayLike) -> Vector:
        """E[purchases in (T, T + t]] given each history (eq. 10), in Euler's form of ₂F₁ that stays finite.

        (a+b+x−1)/(a−1) · [1 − (1−z)^(a−1) · ₂F₁(a+b−1−r, a−1; a+b+x−1; z)] · P(alive), z = t/(α+T+t).
        """
        a = self._off_one()
        z = np.asarray(t, dtype=np.float64) / (self.alpha + seen.T + np.asarray(t, dtype=np.float64))
        whole = a + self.b + seen.x - 1
        shrunk = (1 - z) ** (a - 1) * hyp2f1(a + self.b - 1 - self.r, a - 1, whole, z)
        return np.asarray(whole / (a - 1) * (1 - shrunk) * self.alive(seen))

    def expected_of_new(self, t: ArrayLike) -> Vector:
        """E[repeat purchases within t of the first one] of someone unknown (eq. 9)."""
        a, time = self._off_one(), np.asarray(t, dtype=np.float64)
        z = time / (self.alpha + time)
        whole = a + self.b - 1
        return np.asarray(whole / (a - 1) * (1 - (1 - z) ** self.r * hyp2f1(self.r, self.b, whole, z)))

    def _off_one(self) -> float:
        return self.a if abs(self.a - 1) > 1e-7 else 1 + 1e-7


def fit_bg_nbd(seen: Histories, prior: Prior | None = None) -> tuple[BgNbd, Estimate]:
    """Maximum likelihood (or posterior mode) on the distinct histories.

    Raises:
        UnfitData: the data do not tell the parameters apart.
    """
    rows = seen.distinct()
    typical = max(float(np.average(rows.T, weights=rows.customers)) / 5, 1e-3)
    estimate = maximise(
        lambda p: BgNbd(*p).log_likelihood(rows),
        ("r", "alpha", "a", "b"),
        rows.total,
        [(0.5, typical, 0.5, 2.0), (1.0, 2 * typical, 2.0, 8.0)],
        prior,
    )
    return BgNbd(**estimate.values), estimate
