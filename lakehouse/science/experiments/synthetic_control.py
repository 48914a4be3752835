"""A weighted mixture of untouched series that moves like the touched one before the change, and stands in
for it after.

Abadie, Diamond, Hainmueller (2010), "Synthetic control methods for comparative case studies", JASA 105(490).
Ridge augmentation: Ben-Michael, Feller, Rothstein (2021), "The augmented synthetic control method", JASA
116(536).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from lakehouse.science.experiments.estimate import Floats
from lakehouse.science.unfit import UnfitData


def simplex_weights(target: Floats, donors: Floats) -> Floats:
    """(D,) weights ≥ 0 summing to one that minimise |target − donors·w|². target (T,), donors (T, D).

    On the simplex target − donors·w = −M·w with M = donors − target; minimising |M·u|² + (1ᵀu − 1)² over u ≥
    0 finds the same direction without a constraint, so a plain non-negative least squares is exact after
    scaling.
    """
    if donors.ndim != 2 or donors.shape[0] != len(target) or donors.shape[1] == 0:
        raise UnfitData(f"simplex_weights: target {target.shape}, donors {donors.shape}; give (T,) and (T, D).")
    off = donors - target[:, None]
    scale = float(np.sqrt((off**2).sum() / off.shape[1])) or 1.0
    free, _ = nnls(np.vstack([off / scale, np.ones(off.shape[1])]), np.append(np.zeros(len(target)), 1.0), maxiter=20_000)
    return np.asarray(free / free.sum(), dtype=np.float64)


def ridge_weights(target: Floats, donors: Floats, start: Floats, penalty: float) -> Floats:
    """(D,) `start` corrected towards balance: w + X(XᵀX + λI)⁻¹(target − Xᵀw); may be negative.

    target (T,), donors (T, D): centred over donors in every period; X = donorsᵀ.
    """
    x = donors.T
    missing = target - donors @ start
    return start + x @ np.linalg.solve(x.T @ x + penalty * np.eye(len(target)), missing)


def choose_ridge(target: Floats, donors: Floats, steps: int = 20, smallest: float = 1e-8) -> float:
    """The largest penalty within one standard error of the best, leaving out one period at a time.

    target (T,), donors (T, D), centred over donors. Penalties from the largest squared singular value down to
    `smallest` times it; weights are fitted anew without each period, the last period of the fit excepted.
    """
    penalties = float(np.linalg.svd(donors, compute_uv=False)[0]) ** 2 * smallest ** (np.arange(steps + 1) / steps)
    errors = np.zeros((len(target) - 1, len(penalties)))
    for left_out in range(len(target) - 1):
        kept = np.arange(len(target)) != left_out
        y, x = target[kept], donors[kept]
        start = simplex_weights(y, x)
        # One eigendecomposition serves all penalties of the period.
        values, vectors = np.linalg.eigh(x @ x.T)
        turned = vectors.T @ (y - x @ start)
        reach = donors[left_out] @ x.T @ vectors
        shrunk = turned[None, :] / (np.maximum(values, 0.0)[None, :] + penalties[:, None])
        errors[left_out] = (target[left_out] - donors[left_out] @ start - shrunk @ reach) ** 2
    mean = errors.mean(axis=0)
    best = int(mean.argmin())
    bound = mean[best] + errors[:, best].std(ddof=1) / np.sqrt(len(errors))
    return float(penalties[mean <= bound].max())


@dataclass(frozen=True)
class Synthetic:
    """weights (D,); counterfactual, gap (T,): what would have been, and observed minus that.

    misfit: root mean squared gap before the change, in the outcome's unit; penalty: of the ridge, None
    without.
    """

    weights: Floats
    counterfactual: Floats
    gap: Floats
    misfit: float
    penalty: float | None


def synthetic_control(
    treated: Floats,
    donors: Floats,
    before: int,
    *,
    demean: bool = False,
    ridge: bool = False,
    penalty: float | None = None,
) -> Synthetic:
    """Fit on the first `before` periods, apply to all. treated (T,), donors (T, D).

    demean: compare movements around each series' own level (unit fixed effects), for markets of unlike size.
    ridge: augment, with `penalty` or, if None, one chosen by leaving out periods.
    """
    if not 2 <= before <= len(treated):
        raise UnfitData(f"synthetic_control: before = {before} of {len(treated)} periods; give at least 2.")
    level = float(treated[:before].mean()) if demean else 0.0
    levels = donors[:before].mean(axis=0) if demean else np.zeros(donors.shape[1])
    y, x = treated - level, donors - levels
    weights = simplex_weights(y[:before], x[:before])
    if ridge:
        centre = x[:before].mean(axis=1)
        y_fit, x_fit = y[:before] - centre, x[:before] - centre[:, None]
        penalty = choose_ridge(y_fit, x_fit) if penalty is None else penalty
        weights = ridge_weights(y_fit, x_fit, weights, penalty)
    else:
        penalty = None
    counterfactual = level + x @ weights
    gap = treated - counterfactual
    return Synthetic(weights, counterfactual, gap, float(np.sqrt((gap[:before] ** 2).mean())), penalty)


def placebo_p(panel: Floats, unit: int, before: int) -> float:
    """Share of units whose gap grew at least as much after the change, had it been theirs (this one
    included).

    panel (T, U). Grown = root mean squared gap after ÷ before, each unit fitted from the others without
    `unit`.
    """
    ratios = np.zeros(panel.shape[1])
    for one in range(panel.shape[1]):
        others = [u for u in range(panel.shape[1]) if u not in (one, unit)]
        fit = synthetic_control(panel[:, one], panel[:, others], before)
        ratios[one] = np.sqrt((fit.gap[before:] ** 2).mean()) / max(fit.misfit, 1e-12)
    return float((ratios >= ratios[unit]).mean())
