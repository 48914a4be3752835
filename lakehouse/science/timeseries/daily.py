"""Demand by the day, as tables keep it: one series from its rows of sales, or what it lacks."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from lakehouse.science.timeseries.demand import tabled

WEEK, HORIZON = 7, 14
LEARN = 42
"""Days that come before the first of the backtest."""
FEWEST_ORIGINS = 5
FEWEST_DAYS = LEARN + HORIZON + (FEWEST_ORIGINS - 1) * WEEK + 1
"""Days a series must be old: five past moments, a week apart, to be judged from."""
MOST_ORIGINS = 12
FEWEST_SOLD = 21
"""Days with sales, below which a series is mostly zeros."""
FIGURES = (
    "day", "step", "quantity", "expected", "low", "high", "is_unusual", "form", "error", "naive_error", "covered", "days",
)  # fmt: skip


def read_demand(sold: pd.DataFrame, last: dt.date, *, considered: bool = True) -> pd.DataFrame:
    """Columns FIGURES: `last` (step 0, foreseen from the day before) and HORIZON days after it, with 90 % intervals.

    sold: `day`, `quantity`, days without sales left out; days after `last` don't count. A series younger than FEWEST_DAYS, or with
    sales on fewer than FEWEST_SOLD days, or one not to be `considered`, gives one row of form "left out" with its last day and age,
    and no forecast.
    """
    day = pd.to_datetime(sold["day"])
    daily = sold["quantity"].astype(float).groupby(day).sum().sort_index().loc[: pd.Timestamp(last)]
    if daily.empty:
        return pd.DataFrame(columns=list(FIGURES), dtype=object)
    series = daily.reindex(pd.date_range(daily.index[0], last), fill_value=0.0)
    if not considered or len(series) < FEWEST_DAYS or int((series > 0).sum()) < FEWEST_SOLD:
        short = {"day": last, "step": 0, "quantity": float(series.iloc[-1]), "form": "left out", "days": len(series)}
        return pd.DataFrame([short], columns=list(FIGURES)).astype({"is_unusual": object})
    origins = min(MOST_ORIGINS, FEWEST_ORIGINS + (len(series) - FEWEST_DAYS) // WEEK)
    made = tabled(np.asarray(series, dtype=np.float64), season=WEEK, horizon=HORIZON, origins=origins, gap=WEEK)
    made = made.rename(columns={"mean": "expected", "actual": "quantity", "unusual": "is_unusual"})
    days = [last + dt.timedelta(days=int(step)) for step in made["step"]]
    return made.assign(day=days, days=len(series))[list(FIGURES)]
