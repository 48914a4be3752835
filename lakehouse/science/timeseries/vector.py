"""Several series that move each other: order choice, Granger tests, impulse responses.

Lütkepohl (2005), "New introduction to multiple time series analysis", chapters 2–4, fitted by statsmodels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from statsmodels.tsa.api import VAR

from lakehouse.science.timeseries.forecast import Floats, Forecast
from lakehouse.science.unfit import UnfitData

Criterion = Literal["aic", "bic", "hqic", "fpe"]


@dataclass(frozen=True)
class VectorModel:
    """coefficients: one column per equation, rows `const`, `L1.<name>`, …; names, order as fitted."""

    names: tuple[str, ...]
    order: int
    coefficients: pd.DataFrame
    fitted: Any

    def granger(self, caused: str, causing: str) -> float:
        """p-value of "past values of `causing` do not help to forecast `caused`" (F test)."""
        for name in (caused, causing):
            if name not in self.names:
                raise UnfitData(f"granger: no series {name!r}; fitted are {', '.join(self.names)}.")
        return float(self.fitted.test_causality(caused, causing, kind="f").pvalue)

    def responses(self, horizon: int, *, orthogonal: bool = True) -> Floats:
        """(H + 1, K, K): response of series i after h periods to a shock in series j, [h, i, j].

        orthogonal: shocks of one standard deviation, series earlier in `names` moving first (Cholesky).
        """
        found = self.fitted.irf(horizon)
        return np.asarray(found.orth_irfs if orthogonal else found.irfs, dtype=np.float64)

    def forecast(self, horizon: int, level: float = 0.9) -> dict[str, Forecast]:
        """The next `horizon` periods of every series."""
        parts = self.fitted.forecast_interval(self.fitted.endog[-self.order :], horizon, alpha=1 - level)
        mean, low, high = (np.asarray(part, dtype=np.float64) for part in parts)
        return {name: Forecast(mean[:, k], low[:, k], high[:, k], level) for k, name in enumerate(self.names)}


def choose_lags(frame: pd.DataFrame, most: int, criterion: Criterion = "aic") -> int:
    """The number of lags with the least criterion, at most `most`, all judged on the same periods.

    frame: one stationary series per column (difference or take growth rates first), one row per period.
    """
    if criterion not in ("aic", "bic", "hqic", "fpe"):
        raise UnfitData(f"choose_lags: criterion = {criterion!r}; choose aic, bic, hqic or fpe.")
    return int(VAR(frame.to_numpy(dtype=np.float64)).select_order(most).selected_orders[criterion])


def fit_vector(frame: pd.DataFrame, order: int | None = None, most: int = 8) -> VectorModel:
    """Least squares of every series on `order` lags of all (chosen by AIC when None; at least one)."""
    if len(frame) <= (order or most) * frame.shape[1] + 1:
        raise UnfitData(f"fit_vector: {len(frame)} periods are too few for {order or most} lags of {frame.shape[1]} series.")
    names = tuple(str(name) for name in frame.columns)
    lags = max(1, choose_lags(frame, most)) if order is None else order
    fitted = VAR(pd.DataFrame(frame.to_numpy(dtype=np.float64), columns=list(names))).fit(lags)
    return VectorModel(names, lags, pd.DataFrame(fitted.params), fitted)
