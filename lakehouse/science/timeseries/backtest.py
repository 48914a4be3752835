"""Would it have worked? Forecasts from past moments against what came, the seasonal naive one beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lakehouse.science.timeseries.forecast import Floats, Forecast, seasonal_naive
from lakehouse.science.unfit import UnfitData

Forecaster = Callable[[Floats, int], Forecast]


@dataclass(frozen=True)
class Backtest:
    """rows: `origin`, `step` (1 = next period), `actual`, `mean`, `low`, `high`, `naive`.

    scaled_error: mean absolute error ÷ that of the seasonal naive forecasts; below one is better than plain.
    covered: share of actuals inside the interval, to be compared with level.
    """

    rows: pd.DataFrame
    scaled_error: float
    covered: float
    level: float


def backtest(series: Floats, forecaster: Forecaster, *, season: int, horizon: int, origins: int, gap: int = 1) -> Backtest:
    """Stand at `origins` past moments, `gap` periods apart, each time seeing only what came before.

    series (T,); the last origin leaves exactly `horizon` periods to compare with.
    """
    first = len(series) - horizon - (origins - 1) * gap
    if first <= 2 * season:
        raise UnfitData(
            f"backtest: {len(series)} periods leave {first} before the first of {origins} origins; "
            f"give more than {2 * season}, or fewer origins."
        )
    parts, level = [], 0.0
    for place in range(origins):
        origin = first + place * gap
        seen, actual = series[:origin], series[origin : origin + horizon]
        made, naive = forecaster(seen, horizon), seasonal_naive(seen, horizon, season)
        level = made.level
        parts.append(
            pd.DataFrame(
                {
                    "origin": origin,
                    "step": np.arange(1, horizon + 1),
                    "actual": actual,
                    "mean": made.mean,
                    "low": made.low,
                    "high": made.high,
                    "naive": naive.mean,
                }
            )
        )
    rows = pd.concat(parts, ignore_index=True)
    plain = float((rows["actual"] - rows["naive"]).abs().mean())
    own = float((rows["actual"] - rows["mean"]).abs().mean())
    inside = (rows["actual"] >= rows["low"]) & (rows["actual"] <= rows["high"])
    return Backtest(rows, own / plain if plain else float("nan"), float(inside.mean()), level)


def calibrated(forecast: Forecast, past: Backtest) -> Forecast:
    """The forecast with intervals stretched or shrunk so that the backtest would have been covered as stated.

    Each past error is measured in half-widths of its own interval, per side; the `level` quantile of those
    (with the finite-sample correction (n + 1)/n of split conformal prediction: Lei et al. 2018, JASA
    113(523)) scales both sides. Origins overlap, so this is approximate.
    """
    rows = past.rows
    half = np.where(rows["actual"] >= rows["mean"], rows["high"] - rows["mean"], rows["mean"] - rows["low"])
    sizes = (rows["actual"] - rows["mean"]).abs().to_numpy() / np.maximum(half, 1e-12)
    share = min(1.0, forecast.level * (len(sizes) + 1) / len(sizes))
    scale = float(np.quantile(sizes, share))
    return Forecast(
        forecast.mean,
        forecast.mean - scale * (forecast.mean - forecast.low),
        forecast.mean + scale * (forecast.high - forecast.mean),
        forecast.level,
    )


def unusual(actual: Floats, forecast: Forecast) -> npt.NDArray[np.bool_]:
    """(H,) whether what came lies outside the interval: a baseline for alarms."""
    return np.asarray((actual < forecast.low) | (actual > forecast.high), dtype=np.bool_)
