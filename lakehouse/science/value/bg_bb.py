"""BG/BB: at each of n occasions a customer buys or not, and may leave between them (donations, events).

Fader, Hardie & Shang 2010, "Customer-base analysis in a discrete-time noncontractual setting",
Marketing Science 29(6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, gammaln, logsumexp

from lakehouse.science.propensity.unfit import Vector
from lakehouse.science.value.estimation import Estimate, Prior, maximise
from lakehouse.science.value.histories import Histories


@dataclass(frozen=True)
class BgBb:
    """Chance of buying p ~ Beta(alpha, beta); of leaving before an occasion θ ~ Beta(gamma, delta).

    In the histories T is the number of occasions n, t_x the one of the last purchase.
    """

    alpha: float
    beta: float
    gamma: float
    delta: float

    def log_likelihood(self, seen: Histories) -> float:
        """Σ customers · ln[B(α+x,β+n−x)/B(α,β)·B(γ,δ+n)/B(γ,δ) + Σᵢ B(α+x,β+t_x−x+i)/B(α,β)·B(γ+1,δ+t_x+i)/B(γ,δ)].

        i from 0 to n − t_x − 1; eq. 5 of the paper.
        """
        return float(seen.customers @ self._log_each(seen))

    def alive(self, seen: Histories) -> Vector:
        """P(still a customer at occasion n + 1), one per row (eq. 7)."""
        return np.asarray(np.exp(self._buys(seen, 0) + self._stays(seen.T + 1) - self._log_each(seen)))

    def expected(self, seen: Histories, occasions: ArrayLike) -> Vector:
        """E[purchases in the next n* occasions] given each history (eq. 13)."""
        more = np.asarray(occasions, dtype=np.float64)
        gamma = self.gamma if abs(self.gamma - 1) > 1e-9 else 1 + 1e-9
        lasting = np.exp(gammaln(gamma + self.delta) - gammaln(1 + self.delta))
        now = np.exp(gammaln(1 + self.delta + seen.T) - gammaln(gamma + self.delta + seen.T))
        then = np.exp(gammaln(1 + self.delta + seen.T + more) - gammaln(gamma + self.delta + seen.T + more))
        share = np.exp(self._buys(seen, 1) - self._log_each(seen))
        return np.asarray(share * self.delta / (gamma - 1) * lasting * (now - then))

    def expected_of_new(self, occasions: ArrayLike) -> Vector:
        """E[purchases in the first n occasions] of someone unknown (eq. 8)."""
        n = np.asarray(occasions, dtype=np.float64)
        gamma = self.gamma if abs(self.gamma - 1) > 1e-9 else 1 + 1e-9
        kept = np.exp(
            gammaln(gamma + self.delta) - gammaln(gamma + self.delta + n)
            + gammaln(1 + self.delta + n) - gammaln(1 + self.delta)
        )  # fmt: skip
        return np.asarray(self.alpha / (self.alpha + self.beta) * self.delta / (gamma - 1) * (1 - kept))

    def _buys(self, seen: Histories, more: int) -> Vector:
        whole = betaln(self.alpha + seen.x + more, self.beta + seen.T - seen.x)
        return np.asarray(whole - betaln(self.alpha, self.beta))

    def _stays(self, occasions: Vector) -> Vector:
        return np.asarray(betaln(self.gamma, self.delta + occasions) - betaln(self.gamma, self.delta))

    def _log_each(self, seen: Histories) -> Vector:
        parts = [self._buys(seen, 0) + self._stays(seen.T)]
        base = betaln(self.alpha, self.beta) + betaln(self.gamma, self.delta)
        for i in range(int((seen.T - seen.t_x).max())):
            idle = np.minimum(seen.t_x + i, seen.T - 1)
            term = betaln(self.alpha + seen.x, self.beta + idle - seen.x) + betaln(self.gamma + 1, self.delta + idle)
            parts.append(np.where(seen.t_x + i < seen.T, term - base, -np.inf))
        return np.asarray(logsumexp(np.vstack(parts), axis=0))


def fit_bg_bb(seen: Histories, prior: Prior | None = None) -> tuple[BgBb, Estimate]:
    """Maximum likelihood (or posterior mode) on the distinct histories.

    Raises:
        UnfitData: the data do not tell the parameters apart.
    """
    rows = seen.distinct()
    estimate = maximise(
        lambda p: BgBb(*p).log_likelihood(rows),
        ("alpha", "beta", "gamma", "delta"),
        rows.total,
        [(1.0, 1.0, 0.5, 2.0), (0.5, 2.0, 1.0, 5.0)],
        prior,
    )
    return BgBb(**estimate.values), estimate
