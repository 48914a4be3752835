"""Random effects with priors: what is believed of the mean and of the differences between studies, updated by all of them.

    y_k ~ Normal(θ_k, v_k),  θ_k ~ Normal(μ, τ²),  μ ~ Normal(0, s),  τ ~ HalfNormal(t) or HalfCauchy(t)

Given τ everything else is normal, so only τ is integrated numerically and nothing is sampled: no chains, no divergences at
small τ (which is what a non-centred sampler avoids), the same answer every time. Rubin (1981), J. of Educational Statistics
6(4); Gelman et al. (2013), "Bayesian data analysis", 5.4, equations 5.17 to 5.21.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]
Spread = Literal["half_normal", "half_cauchy"]


@dataclass(frozen=True)
class Believed:
    """mean, error (posterior deviation), low, high: of μ, in the effects' unit; equal tails at `level`.

    tau, tau_low, tau_high: of τ (median and interval). next_low, next_high: prediction interval for the true effect of a
    further study. studies (K,): each study's own effect, drawn towards the mean; study_errors (K,).
    above_zero: probability that μ > 0.
    """

    mean: float
    error: float
    low: float
    high: float
    tau: float
    tau_low: float
    tau_high: float
    next_low: float
    next_high: float
    studies: Floats
    study_errors: Floats
    above_zero: float
    level: float


def _between(prior: Spread, scale: float, points: int) -> tuple[Floats, Floats]:
    """(τ, log prior mass): `points` values that hold the same prior probability each."""
    if prior not in ("half_normal", "half_cauchy"):
        raise UnfitData(f"believe: spread = {prior!r}; choose half_normal or half_cauchy.")
    law = stats.halfnorm(scale=scale) if prior == "half_normal" else stats.halfcauchy(scale=scale)
    share = (np.arange(points) + 0.5) / points
    return np.asarray(law.ppf(share), dtype=np.float64), np.full(points, -np.log(points))


def _quantile(probability: float, means: Floats, errors: Floats, weights: Floats) -> float:
    """Of a mixture of normal laws."""
    reach = 12 * float(errors.max())
    return float(
        optimize.brentq(
            lambda x: float(weights @ stats.norm.cdf(x, means, errors)) - probability,
            float(means.min()) - reach,
            float(means.max()) + reach,
        )
    )


def believe(
    effects: Floats,
    variances: Floats,
    *,
    mean_scale: float = 2.0,
    spread: Spread = "half_normal",
    spread_scale: float = 1.0,
    level: float = 0.9,
    points: int = 4000,
) -> Believed:
    """Pool K effects with known sampling variances under priors in the effects' unit.

    mean_scale: deviation of μ's normal prior around 0. spread_scale: scale of τ's prior. The defaults suit log ratios.
    """
    y, v = np.asarray(effects, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if len(y) < 1 or len(y) != len(v) or not (v > 0).all() or min(mean_scale, spread_scale) <= 0:
        raise UnfitData(
            f"believe: {len(y)} effects, {len(v)} variances, scales {mean_scale}, {spread_scale}; give one or more, all above 0."
        )
    tau, mass = _between(spread, spread_scale, points)
    whole = v[None, :] + tau[:, None] ** 2
    precision = 1 / whole
    given = 1 / (precision.sum(axis=1) + mean_scale**-2)
    centre = given * (precision * y).sum(axis=1)
    fit = -0.5 * (np.log(whole).sum(axis=1) + (precision * y**2).sum(axis=1) - centre**2 / given - np.log(given))
    log = fit + mass
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = float(weight @ centre)
    error = float(np.sqrt(weight @ (given + centre**2) - mean**2))
    tails = (1 - level) / 2, (1 + level) / 2
    low, high = (_quantile(q, centre, np.sqrt(given), weight) for q in tails)
    further = np.sqrt(given + tau**2)
    next_low, next_high = (_quantile(q, centre, further, weight) for q in tails)
    cumulative = np.cumsum(weight)
    pick = [float(tau[int(np.searchsorted(cumulative, q))]) for q in (tails[0], 0.5, tails[1])]
    own = tau[:, None] ** 2 / whole
    study = own * y + (1 - own) * centre[:, None]
    study_variance = own * v + (1 - own) ** 2 * given[:, None]
    study_mean = weight @ study
    return Believed(
        mean=mean,
        error=error,
        low=low,
        high=high,
        tau=pick[1],
        tau_low=pick[0],
        tau_high=pick[2],
        next_low=next_low,
        next_high=next_high,
        studies=np.asarray(study_mean, dtype=np.float64),
        study_errors=np.asarray(np.sqrt(weight @ (study_variance + study**2) - study_mean**2), dtype=np.float64),
        above_zero=float(weight @ stats.norm.sf(0, centre, np.sqrt(given))),
        level=level,
    )
