"""What would have happened, believed rather than fitted: a wandering level whose pace is uncertain, companions, a season.

    y_t = μ_t + βx_t + γ_t + ε_t,  μ_t = μ_{t−1} + η_t,  ε_t ~ Normal(0, σ²),  η_t ~ Normal(0, r²σ²),  r ~ HalfNormal(pace)

The structural model of Brodersen et al. (2015), Annals of Applied Statistics 9(1). With flat priors on β, γ, μ₀ and ln σ all of
them integrate in closed form (a Student t given r: Zellner 1971, "An introduction to Bayesian inference in econometrics", ch. 8),
so only r is integrated numerically: parameters' uncertainty is complete and nothing is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg, optimize, stats

from lakehouse.science.timeseries.forecast import Forecast
from lakehouse.science.timeseries.intervention import Impact
from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Mixture:
    """Student t laws with weights: location, scale (R, N), degrees, weight (R,)."""

    location: Floats
    scale: Floats
    degrees: int
    weight: Floats

    def quantile(self, probability: float) -> Floats:
        """(N,) by root search between the extreme quantiles of the parts."""
        each = self.location + self.scale * float(stats.t.ppf(probability, self.degrees))
        found = np.empty(each.shape[1])
        for i in range(each.shape[1]):
            low, high = float(each[:, i].min()), float(each[:, i].max())
            if high - low < 1e-12 * (1 + abs(high)):
                found[i] = high
                continue
            place, spread = self.location[:, i], self.scale[:, i]

            def excess(x: float, place: Floats = place, spread: Floats = spread) -> float:
                return float(self.weight @ stats.t.cdf((x - place) / spread, self.degrees)) - probability

            found[i] = optimize.brentq(excess, low - 1e-9 * (1 + abs(low)), high + 1e-9 * (1 + abs(high)))
        return found


def believed_impact(
    series: Floats,
    companions: Floats,
    before: int,
    level: float = 0.9,
    *,
    season: int | None = None,
    pace: float = 0.03,
    points: int = 30,
) -> Impact:
    """What happened after the moment beyond what companions, season and the level's wandering explain.

    series (T,), companions (T,) or (T, K) untouched by the intervention, before: periods ahead of the moment, season: its length
    in periods. pace: scale of r, how far the level moves in a period relative to the noise; 0 is a
    regression with a fixed level, 0.2 suits series that drift visibly.
    """
    columns = np.asarray(companions, dtype=np.float64).reshape(len(series), -1) if len(companions) == len(series) else companions
    count = len(series)
    parts = [np.ones((count, 1)), columns]
    if season:
        parts.append(np.eye(season)[np.arange(count) % season][:, 1:])
    if len(columns) != count or pace < 0:
        raise UnfitData(
            f"believed_impact: {count} periods, {len(columns)} of companions, pace {pace}; give companions for all periods, pace ≥ 0."
        )
    x = np.concatenate(parts, axis=1)
    degrees = before - x.shape[1]
    if degrees < 3 or before >= count:
        raise UnfitData(f"believed_impact: {before} of {count} periods before the moment; at least {x.shape[1] + 3}, and one after it.")
    paces = pace * stats.halfnorm.ppf((np.arange(points) + 0.5) / points) if pace > 0 else np.zeros(1)
    solved = [_given(np.asarray(series, dtype=np.float64), x, before, float(r)) for r in paces]
    log = np.array([s[0] for s in solved])
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    location = np.stack([s[1] for s in solved])
    scale = np.stack([np.append(np.sqrt(np.diag(s[2])), np.sqrt(s[2].mean())) for s in solved])
    whole = _Mixture(np.column_stack([location, location.mean(axis=1)]), scale, degrees, weight)
    low, high = (whole.quantile(q) for q in ((1 - level) / 2, (1 + level) / 2))
    mean = weight @ location
    seen = float(np.asarray(series)[before:].mean())
    return Impact(
        Forecast(mean, low[:-1], high[:-1], level), seen - float(mean.mean()), seen - float(high[-1]), seen - float(low[-1]), level
    )


def _given(series: Floats, x: Floats, before: int, r: float) -> tuple[float, Floats, Floats]:
    """(log evidence, predicted mean (A,), its scale matrix (A, A)) for one pace: generalised least squares, then kriging."""
    steps = np.arange(len(series))
    covariance = np.eye(len(series)) + r**2 * np.minimum(steps[:, None], steps[None, :])
    past, cross, ahead = covariance[:before, :before], covariance[before:, :before], covariance[before:, before:]
    factor = linalg.cho_factor(past, lower=True)
    solved_x, solved_y = linalg.cho_solve(factor, x[:before]), linalg.cho_solve(factor, series[:before])
    information = x[:before].T @ solved_x
    slope = linalg.solve(information, x[:before].T @ solved_y, assume_a="pos")
    residual = series[:before] - x[:before] @ slope
    weighted = linalg.cho_solve(factor, residual)
    degrees = before - x.shape[1]
    noise = float(residual @ weighted) / degrees
    mean = x[before:] @ slope + cross @ weighted
    gap = x[before:] - cross @ solved_x
    scale = noise * (ahead - cross @ linalg.cho_solve(factor, cross.T) + gap @ linalg.solve(information, gap.T, assume_a="pos"))
    half = float(np.log(np.diag(factor[0])).sum())
    evidence = -half - 0.5 * float(np.linalg.slogdet(information)[1]) - 0.5 * degrees * np.log(noise)
    return evidence, np.asarray(mean, dtype=np.float64), np.asarray(scale, dtype=np.float64)
