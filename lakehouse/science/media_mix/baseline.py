"""What sales would be without media: level, trend, seasons and a level that may wander."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lakehouse.science.media_mix.data import YEAR, MediaData
from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """yearly, weekly: Fourier modes (weekly only below a step of 7 days). trend: a straight line.

    knot_days: distance of the knots between which the level wanders; 0 for none. Their steps have a learned common size,
    so that a level which stands still costs little.
    """

    yearly: int = 2
    weekly: int = 3
    trend: bool = True
    knot_days: float = 91.0


def fourier(days: Floats, period: float, modes: int) -> Floats:
    """(T, 2·modes) sines and cosines of `period` days. Harvey & Shephard (1993), Handbook of Statistics 11."""
    angles = 2 * np.pi * np.outer(days, np.arange(1, modes + 1)) / period
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def seasons(data: MediaData, baseline: Baseline, dates: pd.DatetimeIndex | None = None) -> Floats:
    """(T, S) seasonal columns, for the data's dates or later ones; a calendar's origin, not the data's."""
    when = data.dates if dates is None else dates
    days = np.asarray((when - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1), dtype=np.float64)
    parts = [fourier(days, YEAR, baseline.yearly)] if len(data.dates) * data.step_days >= 180 else []
    if data.step_days < 7:
        parts.append(fourier(days, 7.0, min(baseline.weekly, int(7 / data.step_days) // 2)))
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(when), 0))


def trend(data: MediaData, baseline: Baseline, steps: int = 0) -> Floats:
    """(T + steps, 0 or 1) a line from −½ to ½ over the data, going on for `steps` periods."""
    count = len(data.dates)
    line = np.arange(count + steps) / (count - 1) - 0.5
    return line[:, None] if baseline.trend else np.zeros((count + steps, 0))


def wander(data: MediaData, baseline: Baseline, steps: int = 0) -> Floats:
    """(T + steps, J) so that columns @ knot steps is a piecewise linear path from 0; it keeps its last level after the data."""
    count = len(data.dates)
    if baseline.knot_days <= 0:
        return np.zeros((count + steps, 0))
    apart = baseline.knot_days / data.step_days
    knots = max(2, round(count / apart)) + 1
    if knots > count // 3:
        raise UnfitData(f"baseline: knots every {baseline.knot_days:g} days are {knots} for {count} periods; put them further apart.")
    position = np.minimum(np.arange(count + steps), count - 1) / (count - 1) * (knots - 1)
    path: Floats = np.clip(position[:, None] - np.arange(knots - 1)[None, :], 0.0, 1.0)
    return path
