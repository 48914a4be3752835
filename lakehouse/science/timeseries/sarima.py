"""Seasonal autoregressive moving averages (Box & Jenkins), fitted by statsmodels' exact likelihood."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from statsmodels.tools.sm_exceptions import ConvergenceWarning
from statsmodels.tsa.statespace.sarimax import SARIMAX

from lakehouse.science.timeseries.forecast import Floats, Forecast
from lakehouse.science.unfit import UnfitData

Order = tuple[int, int, int]
Seasonal = tuple[int, int, int, int]


@dataclass(frozen=True)
class Sarima:
    """order (p, d, q) and seasonal (P, D, Q, s), fitted on the logarithm if `logs`.

    parameters: by name, moving-average signs as in (1 + θB); log_likelihood and aic of the fitted (log)
    series.
    """

    order: Order
    seasonal: Seasonal
    logs: bool
    parameters: dict[str, float]
    log_likelihood: float
    aic: float
    fitted: Any

    def forecast(self, horizon: int, level: float = 0.9) -> Forecast:
        """The next `horizon` periods in the series' own unit; on logs the mean is the median of the
        original."""
        ahead = self.fitted.get_forecast(horizon)
        limits = np.asarray(ahead.conf_int(alpha=1 - level), dtype=np.float64)
        parts = np.asarray(ahead.predicted_mean, dtype=np.float64), limits[:, 0], limits[:, 1]
        mean, low, high = (np.exp(part) if self.logs else part for part in parts)
        return Forecast(mean, low, high, level)

    def continued(self, series: Floats) -> Sarima:
        """The same parameters on another stretch (T,) of the series, so that forecasts begin at its end; nothing is fitted."""
        values = np.asarray(series, dtype=np.float64)
        return replace(self, fitted=self.fitted.apply(np.log(values) if self.logs else values))


def fit_sarima(series: Floats, order: Order, seasonal: Seasonal = (0, 0, 0, 0), *, logs: bool = False) -> Sarima:
    """Fit a given form to (T,) equally spaced figures. Errors on missing figures and on failed
    convergence."""
    values = np.asarray(series, dtype=np.float64)
    if not np.isfinite(values).all() or (logs and values.min() <= 0):
        raise UnfitData("fit_sarima: the series has missing figures, or logs of zero; fill or leave out logs.")
    model = SARIMAX(np.log(values) if logs else values, order=order, seasonal_order=seasonal)
    with warnings.catch_warnings():
        # Convergence is judged below; warnings on starting values say nothing about the result.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)
        fitted = model.fit(disp=False, maxiter=200)
    if not fitted.mle_retvals.get("converged", False):
        raise UnfitData(f"fit_sarima: {order} × {seasonal} did not converge on {len(values)} periods; simplify it.")
    parameters = {name: float(value) for name, value in zip(fitted.param_names, fitted.params, strict=True)}
    return Sarima(order, seasonal, logs, parameters, float(fitted.llf), float(fitted.aic), fitted)


def choose_sarima(series: Floats, season: int, *, logs: bool = False, candidates: list[tuple[Order, Order]] | None = None) -> Sarima:
    """The form of least AICc among a few that serve most business series; those that fail to converge drop
    out.

    All candidates difference alike (once, and once seasonally), so that their likelihoods are comparable.
    """
    usual = [((p, 1, q), (a, 1, b)) for p, q in ((0, 1), (1, 0), (1, 1)) for a, b in ((0, 1), (1, 0))]
    best: Sarima | None = None
    least = np.inf
    for order, (a, d, b) in candidates or usual:
        try:
            found = fit_sarima(series, order, (a, d, b, season), logs=logs)
        except ValueError:
            continue
        count, used = len(found.parameters), len(series) - order[1] - season * d
        score = found.aic + 2 * count * (count + 1) / max(used - count - 1, 1)
        if score < least:
            best, least = found, score
    if best is None:
        raise UnfitData(f"choose_sarima: no form converged on {len(series)} periods with season {season}.")
    return best
