"""A forecast and the plainest one to beat."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Forecast:
    """mean, low, high: (H,) for the periods after the data, in the series' unit; level: of the interval."""

    mean: Floats
    low: Floats
    high: Floats
    level: float

    def __post_init__(self) -> None:
        if not len(self.mean) == len(self.low) == len(self.high):
            raise UnfitData(
                f"Forecast: {len(self.mean)} means, {len(self.low)} lower and {len(self.high)} upper limits; give one of each per period."
            )


def seasonal_naive(series: Floats, horizon: int, season: int, level: float = 0.9) -> Forecast:
    """The same period of the last season again. Errors grow with the seasons ahead: σ·√k.

    σ is the root mean squared seasonal difference; k counts whole seasons ahead. Hyndman & Athanasopoulos
    (2021), "Forecasting: principles and practice", 5.5.
    """
    if season < 1 or horizon < 1 or len(series) <= season:
        raise UnfitData(f"seasonal_naive: {len(series)} periods, season {season}, horizon {horizon}; give more than one season of data.")
    ahead = np.arange(horizon)
    mean = series[len(series) - season + ahead % season]
    sigma = math.sqrt(float(((series[season:] - series[:-season]) ** 2).mean()))
    reach = float(stats.norm.isf((1 - level) / 2)) * sigma * np.sqrt(ahead // season + 1)
    return Forecast(mean, mean - reach, mean + reach, level)
