from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.media_mix.adstock import carry, delayed, geometric, lagged, weibull
from lakehouse.science.media_mix.baseline import Baseline, seasons, trend, wander
from lakehouse.science.media_mix.data import MediaData, from_frame, holiday_flags
from lakehouse.science.media_mix.mix import stacked
from lakehouse.science.media_mix.outcomes import prior_and_posterior
from lakehouse.science.media_mix.priors import APART, COMMON, from_experiments, from_spend, pooled, weak
from lakehouse.science.media_mix.saturation import SATURATIONS
from lakehouse.science.unfit import UnfitData
from tests.science.media_mix.simulated import market, written


def test_advertising_of_one_week_is_felt_in_full_over_the_weeks_after():
    burst = np.zeros((12, 1))
    burst[0] = 100
    felt = carry(burst, geometric(np.array([0.5]), 8))
    assert felt.sum() == pytest.approx(100)
    assert felt[1:8, 0] / felt[:7, 0] == pytest.approx(0.5)
    assert felt[8:].sum() == 0


def test_a_steady_plan_feels_like_itself_whatever_the_memory():
    plan = np.full((30, 3), 7.0)
    weights = np.concatenate(
        [geometric(np.array([0.7]), 8), delayed(np.array([0.6]), np.array([2.0]), 8), weibull(np.array([2.0]), np.array([3.0]), 8)]
    )
    assert carry(plan, weights)[8:] == pytest.approx(7.0)


def test_delayed_advertising_is_strongest_at_its_peak():
    assert delayed(np.array([0.7]), np.array([3.0]), 9)[0].argmax() == 3
    assert weibull(np.array([3.0]), np.array([4.0]), 12)[0].argmax() in (2, 3)


def test_a_weibull_memory_of_shape_one_is_geometric():
    assert weibull(np.array([1.0]), np.array([1 / np.log(2)]), 10) == pytest.approx(geometric(np.array([0.5]), 10), abs=1e-6)


def test_spend_before_the_data_is_felt_in_it():
    media, before = np.zeros((4, 1)), np.full((3, 1), 10.0)
    assert carry(media, geometric(np.array([0.5]), 3), before)[0, 0] == pytest.approx(10 * (0.5 + 0.25) / 1.75)
    assert lagged(media, 3).sum() == 0


@pytest.mark.parametrize("name", SATURATIONS)
def test_half_the_ceiling_is_reached_at_the_half(name):
    curve = SATURATIONS[name]
    assert curve(np.array([3.0]), 3.0, 1.7)[0] == pytest.approx(0.5, abs=1e-6)
    rising = curve(np.linspace(0, 300, 400), 3.0, 1.7)
    assert (np.diff(rising) >= 0).all()
    assert rising[0] == pytest.approx(0, abs=1e-4)
    assert rising[-1] > 0.98


def test_logistic_and_tanh_are_one_curve():
    x = np.linspace(0, 9, 50)
    assert SATURATIONS["logistic"](x, 2.0, 1.0) == pytest.approx(SATURATIONS["tanh"](x, 2.0, 1.0))


def test_seasons_repeat_every_year_and_go_on_after_the_data():
    data, _ = market([100], [50], [0.3])
    later = data.dates + pd.Timedelta(days=7 * 52.178571 * 2)
    assert seasons(data, Baseline(), later) == pytest.approx(seasons(data, Baseline()), abs=0.02)
    assert seasons(data, Baseline()).shape == (104, 4)


def test_a_wandering_level_keeps_its_last_value_and_a_trend_goes_on():
    data, _ = market([100], [50], [0.3])
    path = wander(data, Baseline(), 10)
    assert (path[-10:] == path[-11]).all()
    line = trend(data, Baseline(), 10)[:, 0]
    assert np.diff(line) == pytest.approx(1 / 103)


def test_daily_data_has_weekdays_too():
    dates = pd.date_range("2024-01-01", periods=400)
    data = MediaData(dates, np.ones((400, 1)), np.ones((400, 1, 1)), np.zeros((400, 1, 0)), ("tv",))
    assert seasons(data, Baseline()).shape[1] == 4 + 6


def test_a_frame_with_geographies_becomes_a_panel():
    rows = [(day, geo, 100.0, 5.0) for day in pd.date_range("2024-01-01", periods=30, freq="7D") for geo in "BA"]
    data = from_frame(
        pd.DataFrame(rows, columns=["week", "place", "sales", "tv"]), date="week", target="sales", channels=["tv"], geo="place"
    )
    assert data.geos == ("A", "B")
    assert data.spend.shape == (30, 2, 1)


def test_what_cannot_be_used_is_refused_with_the_repair():
    frame = pd.DataFrame({"week": pd.date_range("2024-01-01", periods=30, freq="7D"), "sales": 1.0, "tv": 1.0, "silent": 0.0})
    with pytest.raises(UnfitData, match="leave the channel out"):
        from_frame(frame, date="week", target="sales", channels=["tv", "silent"])
    with pytest.raises(UnfitData, match="no column radio"):
        from_frame(frame, date="week", target="sales", channels=["radio"])
    with pytest.raises(UnfitData, match="repeat a date"):
        from_frame(pd.concat([frame, frame]), date="week", target="sales", channels=["tv"])
    with pytest.raises(UnfitData, match="even ones"):
        from_frame(frame.drop(index=5), date="week", target="sales", channels=["tv"])


def test_holidays_are_counted_in_the_week_they_fall_into():
    weeks = pd.date_range("2024-12-02", periods=5, freq="7D")
    flags = holiday_flags(weeks, {"christmas": ["2024-12-25", "2024-12-26"]})
    assert flags["christmas"].tolist() == [0, 0, 0, 2, 0]


def test_a_prior_from_spend_gives_each_channel_its_share():
    data, _ = market([100, 100], [50, 50], [0.3, 0.3])
    believed = from_spend(data, 0.3)
    total = believed.spread * np.sqrt(2 / np.pi) * data.active * data.unit
    assert total.sum() == pytest.approx(0.3 * data.target.sum())
    assert total / total.sum() == pytest.approx(data.spend.sum(axis=(0, 1)) / data.spend.sum())


def test_a_past_experiment_becomes_a_prior_on_return():
    data, _ = market([100, 100], [50, 50], [0.3, 0.3])
    believed = from_experiments(data, {"channel_1": (2.5, 0.5)})
    worth = data.active * data.unit / data.spend.sum(axis=(0, 1))
    assert (believed.centre * worth)[1] == pytest.approx(2.5)
    assert believed.centre[0] == weak(data).centre[0]
    with pytest.raises(UnfitData, match="no channel radio"):
        from_experiments(data, {"radio": (1, 1)})


def test_channels_that_are_alike_expect_the_same_and_an_experiment_takes_its_channel_out():
    data, _ = market([100, 100], [50, 50], [0.3, 0.3])
    believed = pooled(data, 0.3)
    assert (believed.spread * data.active).sum() / len(data.dates) == pytest.approx(0.3)
    told = from_experiments(data, {"channel_1": (2.5, 0.5)}, believed)
    assert told.alike.tolist() == [True, False]
    assert told.spread[0] == believed.spread[0]
    assert believed.alike.all()
    table = prior_and_posterior(stacked([written(data, [100, 100], [50, 50], [0.3, 0.3])], np.ones(1)))
    knowing = written(data, [100, 100], [50, 50], [0.3, 0.3])
    pulled = prior_and_posterior(stacked([replace(knowing, setting=replace(knowing.setting, priors=told))], np.ones(1)))
    worth = data.active * data.unit / data.spend.sum(axis=(0, 1))
    assert pulled["prior_mean"][0] == pytest.approx(believed.spread[0] * np.exp((COMMON**2 + APART**2) / 2) * worth[0])
    assert pulled["prior_mean"][1] == pytest.approx(2.5, rel=0.01)
    assert table["prior_mean"][0] != pulled["prior_mean"][0]
