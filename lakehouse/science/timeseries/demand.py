"""Demand per product group and region: for each series the form that did best on its own past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from lakehouse.science.timeseries.backtest import Backtest, Forecaster, backtest, calibrated, unusual
from lakehouse.science.timeseries.forecast import Floats, Forecast, seasonal_naive
from lakehouse.science.timeseries.sarima import Sarima, fit_sarima
from lakehouse.science.unfit import UnfitData


@dataclass(frozen=True)
class Foreseen:
    """form: of least mean absolute error over the backtest; errors: by form, in the series' unit; covered: share of the past inside
    the form's intervals before they were stretched.

    last: of the last period, as seen from the one before (one step); ahead: of the periods to come. Both never below zero.
    """

    form: str
    errors: Mapping[str, float]
    scaled_error: float
    covered: float
    last: Forecast
    ahead: Forecast


def _naive(season: int, seen: Floats, horizon: int) -> Forecast:
    return seasonal_naive(seen, horizon, season)


def _smooth(learnt: Sarima, seen: Floats, horizon: int) -> Forecast:
    return _from_zero(learnt.continued(seen).forecast(horizon))


def _from_zero(made: Forecast) -> Forecast:
    return Forecast(made.mean.clip(min=0), made.low.clip(min=0), made.high.clip(min=0), made.level)


def usual_forms(learn: Floats, season: int) -> dict[str, Forecaster]:
    """Last season again, and seasonal exponential smoothing as an ARIMA(0,1,1)(0,1,1), never below zero.

    Its two smoothing weights are learnt once, from the periods `learn`, and stay: refitting at every origin of a backtest costs ten
    times as much. Where they cannot be learnt, that form is missing.
    """
    forms: dict[str, Forecaster] = {"seasonal_naive": partial(_naive, season)}
    with suppress(ValueError, np.linalg.LinAlgError):
        forms["sarima"] = partial(_smooth, fit_sarima(learn, (0, 1, 1), (0, 1, 1, season)))
    return forms


def foresee(series: Floats, *, season: int, horizon: int, origins: int, gap: int = 0) -> Foreseen:
    """Forecast one series (T,), and its last period from the one before it, by the better of `usual_forms`.

    Both are tried from `origins` past moments, `gap` periods apart (`horizon` unless given), all before the last period; intervals
    are stretched to what that asks for. UnfitData where fewer than 2·season + 2 periods lie before the first of them.
    """
    known, apart = np.asarray(series[:-1], dtype=np.float64), gap or horizon
    first = len(known) - horizon - (origins - 1) * apart
    if first <= 2 * season + 1:
        raise UnfitData(
            f"foresee: {len(series)} periods leave {first} before the first of {origins} origins; "
            f"give {2 * season + 3 + horizon + (origins - 1) * apart} or more, or fewer origins."
        )
    forms = usual_forms(known[:first], season)
    tried = {name: backtest(known, form, season=season, horizon=horizon, origins=origins, gap=apart) for name, form in forms.items()}
    errors = {name: _absolute(past) for name, past in tried.items()}
    form = min(errors, key=lambda name: errors[name])
    past = tried[form]
    last, ahead = (
        _from_zero(calibrated(forms[form](seen, steps), past))
        for seen, steps in ((known, 1), (np.asarray(series, dtype=np.float64), horizon))
    )
    return Foreseen(form, errors, past.scaled_error, past.covered, last, ahead)


def _absolute(past: Backtest) -> float:
    return float((past.rows["actual"] - past.rows["mean"]).abs().mean())


def forecast_demand(sales: pd.DataFrame, by: Sequence[str], *, season: int, horizon: int, origins: int = 4, gap: int = 0) -> pd.DataFrame:
    """Forecast every combination of `by`, each by the form that `foresee` finds the better one.

    sales: `period` (sortable, equally spaced), `quantity`, the columns `by`; a missing row is a period without sales.
    One row per combination and `step` (1 = first period after the data): `mean`, `low`, `high`, `form`, `error` (mean absolute, of
    the backtest), `naive_error` (of last season again), `scaled_error` (their ratio), `covered` (share of the past inside, before
    stretching). Step 0 is the last period, seen from the one before: with `actual`, and `unusual` where it lies outside.
    """
    if missing := sorted({"period", "quantity", *by} - set(sales.columns)):
        raise UnfitData(f"forecast_demand: lacks {missing}; it has {', '.join(sales.columns)}.")
    periods = np.sort(sales["period"].unique())
    parts = []
    for names, rows in sales.groupby(list(by), sort=True):
        labels = [str(name) for name in names]
        series = rows.groupby("period")["quantity"].sum().reindex(periods, fill_value=0)
        part = tabled(series.to_numpy(dtype=np.float64), season=season, horizon=horizon, origins=origins, gap=gap)
        for place, column in enumerate(by):
            part.insert(place, column, labels[place])
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def tabled(series: Floats, *, season: int, horizon: int, origins: int, gap: int = 0) -> pd.DataFrame:
    """`foresee` as rows, by `step` from 0 to `horizon`: see `forecast_demand`."""
    made = foresee(series, season=season, horizon=horizon, origins=origins, gap=gap)
    part = pd.DataFrame({"step": np.arange(horizon + 1), "mean": np.append(made.last.mean, made.ahead.mean)})
    part["low"], part["high"] = np.append(made.last.low, made.ahead.low), np.append(made.last.high, made.ahead.high)
    part["actual"] = [float(series[-1]), *[np.nan] * horizon]
    part["unusual"] = pd.Series([bool(unusual(series[-1:], made.last)[0]), *[None] * horizon], dtype=object)
    part["form"], part["error"], part["naive_error"] = made.form, made.errors[made.form], made.errors["seasonal_naive"]
    part["scaled_error"], part["covered"] = made.scaled_error, made.covered
    return part
