import os
import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels

from lakehouse.science.timeseries.backtest import backtest, calibrated, unusual
from lakehouse.science.timeseries.daily import FEWEST_DAYS, HORIZON, read_demand
from lakehouse.science.timeseries.demand import forecast_demand
from lakehouse.science.timeseries.forecast import seasonal_naive
from lakehouse.science.timeseries.intervention import regression_impact, structural_impact
from lakehouse.science.timeseries.sarima import choose_sarima, fit_sarima
from lakehouse.science.timeseries.vector import choose_lags, fit_vector


@pytest.fixture(scope="module")
def airline(shared_data):
    frame = pd.read_csv(shared_data / "time_series_classics" / "air_passengers.csv")
    return frame["value"].to_numpy(dtype=float)


@pytest.fixture(scope="module")
def germany():
    """Lütkepohl's e1: investment, income, consumption; growth rates 1960Q2 to 1978Q4 (comes with
    statsmodels)."""
    text = (Path(statsmodels.__file__).parent / "tsa/vector_ar/tests/results/e1.dat").read_text()
    rows = [line.split() for line in text.splitlines() if re.match(r"^\s*\d+(\.\d+)?\s+\d", line)]
    levels = pd.DataFrame(np.array(rows, dtype=float), columns=["investment", "income", "consumption"])
    return np.log(levels).diff().iloc[1:76]


@pytest.mark.shared_data
def test_the_airline_model_has_its_published_figures(airline):
    # Box & Jenkins, series G; as fitted by R's arima
    found = fit_sarima(airline, (0, 1, 1), (0, 1, 1, 12), logs=True)
    assert found.parameters["ma.L1"] == pytest.approx(-0.402, abs=0.0005)
    assert found.parameters["ma.S.L12"] == pytest.approx(-0.557, abs=0.0005)
    assert found.log_likelihood == pytest.approx(244.70, abs=0.005)


@pytest.mark.shared_data
def test_the_airline_model_beats_last_year_and_its_intervals_hold(airline):
    def forecaster(seen, horizon):
        return fit_sarima(seen, (0, 1, 1), (0, 1, 1, 12), logs=True).forecast(horizon)

    tried = backtest(airline, forecaster, season=12, horizon=12, origins=4, gap=12)
    assert tried.scaled_error < 0.6
    assert tried.covered == pytest.approx(0.9, abs=0.12)


@pytest.mark.shared_data
def test_a_form_is_chosen_among_a_few(airline):
    forms = [((0, 1, 1), (0, 1, 1)), ((1, 1, 0), (1, 1, 0))]
    found = choose_sarima(airline, 12, logs=True, candidates=forms)
    assert (found.order, found.seasonal) == ((0, 1, 1), (0, 1, 1, 12))


def test_luetkepohls_investment_equation(germany):
    # Lütkepohl (2005), 3.2.3: order 2 by AIC
    assert choose_lags(germany, 4, "aic") == 2
    assert choose_lags(germany, 4, "bic") == 0
    equation = fit_vector(germany, 2).coefficients["investment"].to_numpy()
    assert equation == pytest.approx([-0.017, -0.320, 0.146, 0.961, -0.161, 0.115, 0.934], abs=0.0005)


def test_a_series_that_drives_another_is_found_and_not_the_reverse():
    draw = np.random.default_rng(5)
    x = draw.normal(size=400)
    y = 0.8 * np.concatenate([[0.0], x[:-1]]) + draw.normal(size=400)
    model = fit_vector(pd.DataFrame({"x": x, "y": y}), 1)
    assert model.granger("y", causing="x") < 0.001
    assert model.granger("x", causing="y") > 0.05
    assert model.responses(3, orthogonal=False)[1, 1, 0] == pytest.approx(0.8, abs=0.1)
    assert len(model.forecast(4)["y"].mean) == 4
    with pytest.raises(ValueError, match="no series 'z'; fitted are x, y"):
        model.granger("z", causing="x")


def test_the_plainest_forecast_repeats_the_season():
    made = seasonal_naive(np.array([1.0, 2, 3, 1, 2, 4]), 5, season=3)
    assert made.mean.tolist() == [1, 2, 4, 1, 2]
    assert (made.high - made.mean)[3] == pytest.approx((made.high - made.mean)[0] * np.sqrt(2))


def test_intervals_too_narrow_are_stretched_until_the_past_is_covered():
    draw = np.random.default_rng(6)
    series = 10 * np.sin(np.arange(400) / 7 * 2 * np.pi) + draw.normal(size=400)

    def shy(seen, horizon):
        made = seasonal_naive(seen, horizon, 7)
        return type(made)(made.mean, made.mean - 0.3 * (made.mean - made.low), made.mean + 0.3 * (made.high - made.mean), 0.9)

    past = backtest(series[:300], shy, season=7, horizon=7, origins=25, gap=7)
    assert past.covered < 0.6
    covered = []
    for origin in range(300, 393, 7):
        made = calibrated(shy(series[:origin], 7), past)
        covered.append(~unusual(series[origin : origin + 7], made))
    assert np.mean(covered) == pytest.approx(0.9, abs=0.07)


def test_missing_figures_are_refused():
    with pytest.raises(ValueError, match="missing figures"):
        fit_sarima(np.array([1.0, np.nan, 2.0]), (0, 1, 1))


def causal_impact_example(seed):
    """y = 1.2x + noise, +10 on days 71 to 100: the example of R package CausalImpact."""
    draw = np.random.default_rng(seed)
    x = np.zeros(100)
    for day in range(1, 100):
        x[day] = 0.999 * x[day - 1] + draw.normal()
    x += 100
    y = 1.2 * x + draw.normal(size=100)
    y[70:] += 10
    return y, x


def test_the_effect_of_an_intervention_is_covered_ninety_times_in_a_hundred():
    covered = 0
    for seed in range(100):
        found = regression_impact(*causal_impact_example(seed), before=70)
        covered += found.low <= 10 <= found.high
    assert 85 <= covered <= 95


def test_a_wandering_level_widens_the_interval_and_still_covers():
    covered, widths = 0, []
    for seed in range(8):
        y, x = causal_impact_example(seed)
        y = y + np.random.default_rng(seed + 50).normal(0, 0.5, 100).cumsum()
        steady = regression_impact(y, x, before=70)
        found = structural_impact(y, x, before=70, draws=40)
        covered += found.low <= 10 <= found.high
        widths.append((found.high - found.low) / (steady.high - steady.low))
    assert covered >= 5
    assert np.median(widths) > 1.5


def test_an_intervention_needs_a_past():
    with pytest.raises(ValueError, match="at least 4 periods before it"):
        regression_impact(np.zeros(10), np.zeros(10), before=2)


def test_demand_is_forecast_for_each_group_and_region():
    draw = np.random.default_rng(8)
    weeks = np.arange(72)
    rows = []
    for group, trend in (("toys", 0.0), ("tea", 1.5)):
        for region in ("north", "south"):
            level = 100 + trend * weeks + 20 * np.sin(weeks / 4 * 2 * np.pi)
            rows += [(group, region, w, q) for w, q in zip(weeks, draw.poisson(level), strict=True)]
    sales = pd.DataFrame(rows, columns=["group", "region", "period", "quantity"])
    table = forecast_demand(sales, ["group", "region"], season=4, horizon=4, origins=3)
    assert set(table.loc[table["step"] == 0, "actual"]) == set(sales.loc[sales["period"] == 71, "quantity"])
    table = table[table["step"] > 0]
    assert len(table) == 4 * 4
    assert (table["error"] <= table["naive_error"]).all()
    assert ((table["low"] <= table["mean"]) & (table["mean"] <= table["high"])).all()
    assert set(table.loc[table["group"] == "tea", "form"]) == {"sarima"}
    actual = 100 + 1.5 * np.arange(72, 76) + 20 * np.sin(np.arange(72, 76) / 4 * 2 * np.pi)
    tea = table[(table["group"] == "tea") & (table["region"] == "north")]
    assert tea["mean"].to_numpy() == pytest.approx(actual, rel=0.1)


LAST = date(2026, 11, 18)


def sold(seed, days, mean=6.0):
    """Pieces a day whose level wanders by a hundredth a day and whose weekends are busier, and what comes after."""
    draw, day = np.random.default_rng(seed), np.arange(days + HORIZON)
    level = mean * (1 + 0.4 * (day % 7 >= 5)) * np.exp(draw.normal(0, 0.01, len(day)).cumsum())
    quantity = draw.poisson(level).astype(float)
    past = [LAST - timedelta(days=int(days - 1 - at)) for at in day]
    return pd.DataFrame({"day": past, "quantity": quantity}), quantity[days:]


@pytest.mark.timeout(900)
def test_ninety_percent_of_the_days_to_come_are_inside_the_intervals_and_one_day_in_ten_is_unusual():
    seeds, mean = (range(60), (1.0, 6.0, 40.0)) if os.environ.get("LAKEHOUSE_PROVE") == "full" else (range(14), (6.0,))
    inside, odd, ratio = [], [], []
    for level in mean:
        for seed in seeds:
            rows, after = sold(seed, 130, level)
            found = read_demand(rows, LAST)
            ahead = found[found["step"] > 0]
            inside.append(((after >= ahead["low"]) & (after <= ahead["high"])).mean())
            odd.append(bool(found["is_unusual"].iloc[0]))
            ratio.append(found["error"].iloc[0] / found["naive_error"].iloc[0])
    error = np.std(inside) / np.sqrt(len(inside))
    counted = f"covered {np.mean(inside):.3f} ± {error:.3f} of {len(inside)} series"
    print(f"{counted}, unusual {np.mean(odd):.3f}, error ÷ naive {np.mean(ratio):.2f}")
    assert np.mean(inside) == pytest.approx(0.9, abs=0.03 + 2 * error)
    assert np.mean(odd) == pytest.approx(0.1, abs=0.03 + 2 * np.sqrt(0.09 / len(odd)))
    assert np.mean(ratio) < 0.9


def test_a_day_unlike_those_before_is_unusual_and_a_young_or_sparse_series_is_left_out():
    rows, _ = sold(3, 130, 20.0)
    rows = rows[rows["day"] <= LAST]
    assert not read_demand(rows, LAST)["is_unusual"].iloc[0]
    rows.loc[rows["day"] == LAST, "quantity"] *= 4
    assert read_demand(rows, LAST)["is_unusual"].iloc[0]
    young = rows[rows["day"] > LAST - timedelta(days=FEWEST_DAYS - 1)]
    sparse = rows[rows["day"].map(lambda day: day.day == 3 or day == LAST)]
    for short in (young, sparse):
        found = read_demand(short, LAST)
        assert found[["form", "days"]].to_numpy().tolist() == [["left out", (LAST - short["day"].min()).days + 1]]
        assert found["expected"].isna().all()
    assert read_demand(rows.head(0), LAST).empty
