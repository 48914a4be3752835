"""The Bayesian reading beside the interval: how likely is the treatment better, and by how much. No
sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from lakehouse.science.experiments.estimate import Estimate
from lakehouse.science.unfit import UnfitData


@dataclass(frozen=True)
class Reading:
    """better: probability that the effect is above zero. effect: posterior mean; low, high: credible
    interval.

    expected_loss: what choosing the treatment costs on average if it is in fact worse, in the KPI's unit.
    """

    better: float
    effect: float
    low: float
    high: float
    expected_loss: float
    level: float


def read_proportions(
    successes: tuple[int, int],
    units: tuple[int, int],
    *,
    level: float = 0.9,
    prior: tuple[float, float] = (0.5, 0.5),
    grid: int = 800,
) -> Reading:
    """Beta posteriors (Jeffreys' prior by default) of both arms, compared on a grid of grid² equally likely
    pairs."""
    at = (np.arange(grid) + 0.5) / grid
    arms = [stats.beta.ppf(at, prior[0] + won, prior[1] + among - won) for won, among in zip(successes, units, strict=True)]
    gains = (arms[1][:, None] - arms[0][None, :]).ravel()
    low, high = np.quantile(gains, [(1 - level) / 2, (1 + level) / 2])
    return Reading(
        better=float((gains > 0).mean()),
        effect=float(gains.mean()),
        low=float(low),
        high=float(high),
        expected_loss=float(np.maximum(-gains, 0).mean()),
        level=level,
    )


def read_estimate(estimate: Estimate, *, prior_mean: float = 0.0, prior_error: float) -> Reading:
    """Normal posterior of an effect: the estimate shrunk towards what effects of its kind have been.

    prior_error: standard deviation of effects expected beforehand, in the KPI's unit.
    1/v = 1/error² + 1/prior_error²; mean = v·(effect/error² + prior_mean/prior_error²).
    """
    if estimate.error <= 0 or prior_error <= 0:
        raise UnfitData(f"read_estimate: errors {estimate.error} and {prior_error}; both must be above 0.")
    precision = 1 / estimate.error**2 + 1 / prior_error**2
    mean = (estimate.effect / estimate.error**2 + prior_mean / prior_error**2) / precision
    spread = math.sqrt(1 / precision)
    reach = float(stats.norm.isf((1 - estimate.level) / 2))
    return Reading(
        better=float(stats.norm.cdf(mean / spread)),
        effect=mean,
        low=mean - reach * spread,
        high=mean + reach * spread,
        expected_loss=float(spread * stats.norm.pdf(mean / spread) - mean * stats.norm.cdf(-mean / spread)),
        level=estimate.level,
    )
