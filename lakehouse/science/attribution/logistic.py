"""A logistic challenger: what the chance of converting loses when a channel's touches are taken away.

After Shao & Li (2011), "Data-driven multi-touch attribution models", KDD '11, with ridge instead of bagging.
It reads presence and repetition, not order, and believes that journeys differ by their touches alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from lakehouse.science.attribution.paths import Floats, Paths
from lakehouse.science.unfit import UnfitData


@dataclass(frozen=True)
class Challenger:
    """intercept and coefficient (2C,): presence, then log(1 + further touches), per channel.

    incremental: (C,) conversions that would be missing, not scaled; below zero when a channel goes with
    losing
    credit:      (C,) observed conversions shared in proportion to the positive part of `incremental`
    """

    intercept: float
    coefficient: Floats
    incremental: Floats
    credit: Floats


def _features(counts: Floats) -> Floats:
    return np.hstack([(counts > 0).astype(np.float64), np.log(np.maximum(counts, 1.0))])


def fit(features: Floats, won: Floats, lost: Floats, ridge: float = 1.0, steps: int = 50) -> Floats:
    """(1 + F,) maximum of Σ won·log p + lost·log(1 − p) − ridge/2·|β|², the intercept free, by Newton's
    method.

    Errors when it does not settle in `steps`.
    """
    design = np.hstack([np.ones((len(features), 1)), features])
    weight = won + lost
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0.0
    beta = np.zeros(design.shape[1])
    share = won.sum() / weight.sum()
    if not 0 < share < 1:
        raise UnfitData(
            f"fit: {share:.0%} of journeys converted; both converted and lost journeys are needed. Include journeys without a conversion."
        )
    beta[0] = np.log(share / (1 - share))
    for _ in range(steps):
        chance = expit(design @ beta)
        gradient = design.T @ (won - weight * chance) - penalty * beta
        curvature = (design.T * (weight * chance * (1 - chance))) @ design + np.diag(penalty)
        move = np.linalg.solve(curvature, gradient)
        # Far steps overshoot where a channel nearly separates winners from losers.
        beta = beta + move * min(1.0, 5.0 / max(float(np.abs(move).max()), 1e-12))
        if np.abs(move).max() < 1e-9:
            return beta
    raise UnfitData(f"fit: no convergence in {steps} steps; raise `ridge` (now {ridge}).")


def logistic(paths: Paths, ridge: float = 1.0) -> Challenger:
    """Fit on all journeys, then take each channel away from all of them."""
    counts = paths.counts()
    journeys = paths.converted + paths.lost
    beta = fit(_features(counts), paths.converted, paths.lost, ridge)

    def expected(touches: Floats) -> float:
        return float(journeys @ expit(beta[0] + _features(touches) @ beta[1:]))

    everything = expected(counts)
    incremental = np.zeros(counts.shape[1])
    for channel in range(counts.shape[1]):
        without = counts.copy()
        without[:, channel] = 0.0
        incremental[channel] = everything - expected(without)
    positive = np.maximum(incremental, 0.0)
    total = positive.sum()
    credit = positive / total * paths.converted.sum() if total > 0 else np.zeros_like(positive)
    return Challenger(float(beta[0]), beta[1:], incremental, credit)
