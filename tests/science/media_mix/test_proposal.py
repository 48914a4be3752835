"""The budget of the coming weeks: whole weeks in, whole cents out, within what the marketer allows."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.media_mix.proposal import coming_weeks, in_cents
from lakehouse.science.media_mix.served import ServedMix
from lakehouse.science.media_mix.weeks import whole_weeks
from tests.science.media_mix.simulated import known_mix, market

TRUTH = ([900.0, 500.0, 100.0], [60.0, 120.0, 60.0], [0.2, 0.6, 0.3])
LIMITS = {"weeks": 4, "change": (0.5, 2.0)}


@pytest.fixture(scope="module")
def mix():
    return known_mix(market(*TRUTH)[0], *TRUTH, spread=0.1)


def days(mix, first, count, **spend):
    begun = mix.data.dates[-1].date() + timedelta(days=first)
    rows = [(begun + timedelta(days=d), name, euros, 100.0) for d in range(count) for name, euros in spend.items()]
    return pd.DataFrame(rows, columns=["date_id", "channel", "spend", "revenue"])


def test_a_week_that_has_begun_does_not_count(mix):
    spend, revenue = whole_weeks(pd.concat([days(mix, 4, 3, tv=1.0), days(mix, 7, 16, tv=2.0, organic=0.0)]))
    assert spend["tv"].tolist() == [14.0, 14.0]
    assert revenue.tolist() == [1400.0, 1400.0]
    assert spend.index[0] == mix.data.dates[-1] + pd.Timedelta(days=7)


def test_pins_and_bounds_hold_to_the_cent_and_all_is_placed(mix):
    daily = days(mix, 7, 28, channel_0=1.117, channel_1=3.33, channel_2=2.01)
    found = coming_weeks(mix, daily, **LIMITS, bounds={"channel_0": (0.0, 40.0)}, pinned={"channel_2": 60.07}, risk=0.25)
    assert found["recommended_spend"].tolist() == pytest.approx([40.0, found["total"][0] - 100.07, 60.07], abs=1e-9)
    assert found["total"][0] == pytest.approx(31.28 + 93.24 + 56.28)


def test_what_was_spent_since_training_is_in_flight(mix):
    quiet = coming_weeks(mix, days(mix, 7, 28, channel_0=10.0, channel_1=0.1), **LIMITS)
    loud = coming_weeks(mix, days(mix, 7, 28, channel_0=10.0, channel_1=90.0), **LIMITS)
    assert loud["in_flight"][1] > 10 * quiet["in_flight"][1]
    assert loud["in_flight"][0] == pytest.approx(quiet["in_flight"][0])
    assert loud["current_spend"][2] == loud["recommended_spend"][2] == 0


def test_without_newer_weeks_the_mixs_own_last_ones_are_planned_on(mix):
    found = coming_weeks(mix, days(mix, 3, 4, channel_0=1.0), **LIMITS)
    assert found["current_spend"].to_numpy() == pytest.approx(mix.data.spend[-4:, 0].sum(axis=0), abs=0.01)
    assert set(found["starts_on"]) == {(mix.data.dates[-1] + pd.Timedelta(days=7)).date()}


def test_a_version_kept_before_there_were_plans_gives_none(mix):
    assert ServedMix(ServedMix.of(mix).answers).plan(days(mix, 7, 28, channel_0=1.0), **LIMITS).empty


def test_the_small_mix_served_plans_like_the_whole(mix):
    daily = days(mix, 7, 28, channel_0=10.0, channel_1=20.0, channel_2=5.0)
    whole, small = coming_weeks(mix, daily, **LIMITS), ServedMix.of(mix).plan(daily, **LIMITS)
    pd.testing.assert_frame_equal(whole, small)


def test_cents_add_up():
    amounts = np.random.default_rng(1).dirichlet(np.ones(7)) * 1234.56
    assert in_cents(amounts).sum() == pytest.approx(1234.56, abs=1e-9)
    assert np.abs(in_cents(amounts) - amounts).max() < 0.01
