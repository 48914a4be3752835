"""What would have happened without it: one series, a known moment, untouched companions.

Brodersen, Gallusser, Koehler, Remy, Scott (2015), "Inferring causal impact using Bayesian structural time-series
models", Annals of Applied Statistics 9(1); here in two forms that need no sampling chains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats
from statsmodels.tsa.statespace.structural import UnobservedComponents

from lakehouse.science.timeseries.forecast import Floats, Forecast
from lakehouse.science.unfit import UnfitData


@dataclass(frozen=True)
class Impact:
    """counterfactual: with point-wise intervals, for the periods after the moment (A,).

    average, low, high: mean effect per period, in the series' unit, with the interval of that mean (errors of
    neighbouring periods go together, so it is not the mean of point-wise limits); total = average × periods.
    """

    counterfactual: Forecast
    average: float
    low: float
    high: float
    level: float

    @property
    def total(self) -> float:
        """Effect summed over the periods after the moment."""
        return self.average * len(self.counterfactual.mean)


def _split(series: Floats, companions: Floats, before: int) -> tuple[Floats, Floats, Floats]:
    columns = companions.reshape(len(companions), -1)
    if len(columns) != len(series) or not columns.shape[1] + 3 <= before < len(series):
        raise UnfitData(
            f"{len(series)} periods, {len(columns)} of companions, {before} before the moment; give companions for "
            f"all periods and at least {columns.shape[1] + 3} periods before it."
        )
    return columns[:before], columns[before:], series[before:]


def regression_impact(series: Floats, companions: Floats, before: int, level: float = 0.9) -> Impact:
    """Companions explain the series; what they do not is independent from period to period.

    series (T,), companions (T,) or (T, K), before: periods ahead of the moment. With prior 1/σ² on (β, σ²) the
    predictive distribution is exactly Student's t with before − K − 1 degrees of freedom, parameters' uncertainty
    included: Var of the mean effect = s²(1/A + x̄ᵀ(XᵀX)⁻¹x̄) (Gelman et al. 2013, "Bayesian data analysis", 14.2).
    """
    past, future, after = _split(series, companions, before)
    x, z = (np.column_stack([np.ones(len(part)), part]) for part in (past, future))
    inverse = np.linalg.pinv(x.T @ x)
    slope = inverse @ x.T @ series[:before]
    degrees = before - x.shape[1]
    noise = float(((series[:before] - x @ slope) ** 2).sum()) / degrees
    reach = float(stats.t.isf((1 - level) / 2, degrees))
    mean = z @ slope
    each = reach * np.sqrt(noise * (1 + np.einsum("ij,jk,ik->i", z, inverse, z)))
    centre = z.mean(axis=0)
    spread = reach * math.sqrt(noise * (1 / len(z) + float(centre @ inverse @ centre)))
    average = float((after - mean).mean())
    return Impact(Forecast(mean, mean - each, mean + each, level), average, average - spread, average + spread, level)


def structural_impact(
    series: Floats,
    companions: Floats,
    before: int,
    level: float = 0.9,
    *,
    season: int | None = None,
    draws: int = 300,
    seed: int = 0,
) -> Impact:
    """A level that wanders, companions, perhaps a season: for series with a memory of their own.

    y_t = μ_t + βx_t + γ_t + ε_t, μ_t = μ_{t−1} + η_t. Fitted by maximum likelihood before the moment, parameters
    drawn from their asymptotic normal distribution, each draw's future simulated from its own filtered state.
    """
    past, future, after = _split(series, companions, before)
    model = UnobservedComponents(series[:before], level="local level", exog=past, seasonal=season)
    fitted = model.fit(disp=False, maxiter=300)
    random = np.random.default_rng(seed)
    names, best = fitted.param_names, np.asarray(fitted.params, dtype=np.float64)
    spread = np.asarray(fitted.cov_params(), dtype=np.float64)
    spread = np.where(np.isfinite(spread), spread, 0.0)
    variance = np.array([name.startswith("sigma2") for name in names])
    paths = np.zeros((draws, len(future)))
    for draw, theta in enumerate(random.multivariate_normal(best, spread, draws, check_valid="ignore")):
        kept = np.where(variance, np.maximum(theta, best * 1e-3), theta)
        smoothed = model.smooth(kept)
        state = random.multivariate_normal(smoothed.predicted_state[:, -1], smoothed.predicted_state_cov[..., -1], check_valid="ignore")
        paths[draw] = np.asarray(smoothed.simulate(len(future), anchor="end", exog=future, initial_state=state, rng=random)).ravel()
    share = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(paths, share, axis=0)
    effects = (after[None, :] - paths).mean(axis=1)
    bottom, top = np.quantile(effects, share)
    forecast = Forecast(paths.mean(axis=0), low, high, level)
    return Impact(forecast, float(effects.mean()), float(bottom), float(top), level)
