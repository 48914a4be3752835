"""Demand per product group and region: for each series the form that did best on its own past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from lakehouse.science.timeseries.backtest import Backtest, Forecaster, backtest, calibrated
from lakehouse.science.timeseries.forecast import Floats, Forecast, seasonal_naive
from lakehouse.science.timeseries.sarima import fit_sarima
from lakehouse.science.unfit import UnfitData


def _naive(season: int, seen: Floats, horizon: int) -> Forecast:
    return seasonal_naive(seen, horizon, season)


def _smooth(season: int, seen: Floats, horizon: int) -> Forecast:
    made = fit_sarima(seen, (0, 1, 1), (0, 1, 1, season)).forecast(horizon)
    return Forecast(made.mean.clip(min=0), made.low.clip(min=0), made.high.clip(min=0), made.level)


def usual_forms(season: int) -> dict[str, Forecaster]:
    """Last season again, and seasonal exponential smoothing as an ARIMA(0,1,1)(0,1,1), never below zero."""
    return {"seasonal_naive": partial(_naive, season), "sarima": partial(_smooth, season)}


def best_form(series: Floats, forms: Mapping[str, Forecaster], *, season: int, horizon: int, origins: int) -> tuple[str, Backtest]:
    """The form of least scaled error over past origins one horizon apart; one that fails to fit drops out."""
    tried: dict[str, Backtest] = {}
    for name, form in forms.items():
        try:
            tried[name] = backtest(series, form, season=season, horizon=horizon, origins=origins, gap=horizon)
        except (ValueError, np.linalg.LinAlgError):
            continue
    if not tried:
        raise UnfitData(
            f"best_form: none of {', '.join(forms)} could be tried on {len(series)} periods; "
            f"give more than {2 * season + origins * horizon}."
        )
    name = min(tried, key=lambda one: tried[one].scaled_error)
    return name, tried[name]


def forecast_demand(sales: pd.DataFrame, by: Sequence[str], *, season: int, horizon: int, origins: int = 4) -> pd.DataFrame:
    """Forecast every combination of `by`, intervals stretched to what its backtest asks for.

    sales: `period` (sortable, equally spaced), `quantity`, the columns `by`; a missing row is a period without sales.
    One row per combination and `step` (1 = first period after the data): `mean`, `low`, `high`, `form`,
    `scaled_error` (below one beats last season again), `covered` (share of the past inside, before stretching).
    """
    if missing := sorted({"period", "quantity", *by} - set(sales.columns)):
        raise UnfitData(f"forecast_demand: lacks {missing}; it has {', '.join(sales.columns)}.")
    periods = np.sort(sales["period"].unique())
    parts = []
    for names, rows in sales.groupby(list(by), sort=True):
        labels = [str(name) for name in names]
        series = rows.groupby("period")["quantity"].sum().reindex(periods, fill_value=0)
        values = series.to_numpy(dtype=np.float64)
        forms = usual_forms(season)
        form, past = best_form(values, forms, season=season, horizon=horizon, origins=origins)
        made = calibrated(forms[form](values, horizon), past)
        part = pd.DataFrame({"step": np.arange(1, horizon + 1), "mean": made.mean})
        part["low"], part["high"] = np.maximum(made.low, 0), made.high
        part["form"], part["scaled_error"], part["covered"] = form, past.scaled_error, past.covered
        for place, column in enumerate(by):
            part.insert(place, column, labels[place])
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
