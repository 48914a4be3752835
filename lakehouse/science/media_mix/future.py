"""How well a form foresees: leave-future-out scores by importance sampling, refitting only where its diagnostic fails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from lakehouse.science.media_mix.response import log_densities, noise, predicted
from lakehouse.science.media_mix.sampling import Contract, Effort, Setting, sample

Floats = npt.NDArray[np.float64]
LIMIT = 0.7


@dataclass(frozen=True)
class Foresight:
    """start: first period foreseen. score (H,): log predictive density of each period given those before it.

    pareto (H,): the importance weights' shape. refits: periods at which it was fitted again.
    mean, low, high (H,), actual (H,): all geographies together, foreseen from `start` on without looking again.
    """

    start: int
    score: Floats
    pareto: Floats
    refits: tuple[int, ...]
    mean: Floats
    low: Floats
    high: Floats
    actual: Floats

    @property
    def error(self) -> dict[str, float]:
        """Out-of-time error: mean absolute error ÷ mean of the actual values, bias likewise, share within 90 % intervals."""
        level = float(self.actual.mean())
        inside = (self.actual >= self.low) & (self.actual <= self.high)
        return {
            "periods": float(len(self.actual)),
            "absolute_error": float(np.abs(self.mean - self.actual).mean()) / level,
            "bias": float((self.mean - self.actual).mean()) / level,
            "covered": float(inside.mean()),
        }


def foresee(
    s: Setting, start: int, effort: Effort | None = None, contract: Contract | None = None, *, limit: float = LIMIT, refits: int = 5
) -> Foresight:
    """One period ahead at a time from `start`. p(y_t | y_<t) = Σ w θ-draws p(y_t | y_<t, θ), weights ∝ p(y_start … y_t−1 |
    y_<start, θ) of the last fit, Pareto-smoothed; fitted again when the Pareto shape exceeds `limit`, at most `refits` times.
    The baseline is integrated out, so weights carry the media's parameters only and seldom fail.

    Bürkner, Gabry, Vehtari (2020), "Approximate leave-future-out cross-validation for Bayesian time series models", J. of
    Statistical Computation and Simulation 90(14). Vehtari, Simpson, Gelman, Yao, Gabry (2024) for the smoothing.
    """
    from arviz_stats.base import array_stats

    fitted = sample(s.until(start), effort, contract)
    first, since, log = fitted, start, np.diff(log_densities(fitted, start), axis=1)
    again: list[int] = []
    score: list[float] = []
    pareto: list[float] = []
    for period in range(start, len(s.counts)):
        weight, shape = np.full(fitted.count, -np.log(fitted.count)), 0.0
        if period > since:
            smoothed, k = array_stats.psislw(-log[:, : period - since].sum(axis=1))
            weight, shape = np.asarray(smoothed, dtype=np.float64), float(k)
            if shape > limit and len(again) < refits:
                fitted = sample(s.until(period), effort, contract)
                since, log = period, np.diff(log_densities(fitted, period), axis=1)
                again.append(period)
                weight, shape = np.full(fitted.count, -np.log(fitted.count)), 0.0
        score.append(float(special.logsumexp(log[:, period - since] + weight)))
        pareto.append(shape)
    random = np.random.default_rng(0)
    centre = predicted(first)[:, start:]
    future = (centre + random.normal(size=centre.shape) * noise(first)[:, None, :]).sum(axis=-1)
    low, high = np.quantile(future, [0.05, 0.95], axis=0)
    actual = s.data.target[start:].sum(axis=-1)
    return Foresight(start, np.array(score), np.array(pareto), tuple(again), future.mean(axis=0), low, high, actual)


def stacking(scores: Floats, strength: float = 1.0) -> Floats:
    """(F,) weights of F forms from their scores (F, H): argmax Σ_h log Σ_f w_f exp(score_fh) + strength · Σ_f log w_f, by EM.

    Yao, Vehtari, Simpson, Gelman (2018), "Using stacking to average Bayesian predictive distributions", Bayesian Analysis
    13(3); the second term (a Dirichlet prior) keeps a few dozen periods from giving everything to one form by chance.
    """
    share = np.exp(scores - scores.max(axis=0))
    weight: Floats = np.full(len(scores), 1 / len(scores))
    for _ in range(1000):
        belongs = weight[:, None] * share
        belongs /= belongs.sum(axis=0)
        new = (belongs.sum(axis=1) + strength) / (scores.shape[1] + strength * len(scores))
        if np.abs(new - weight).max() < 1e-10:
            return np.asarray(new, dtype=np.float64)
        weight = new
    return weight
