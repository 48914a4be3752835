import itertools

import numpy as np
import pytest

from lakehouse.science.media_mix.budget import allocate, expected_sales, fit_within, largest_total
from lakehouse.science.media_mix.plan import Budget
from lakehouse.science.media_mix.response import contributions
from lakehouse.science.unfit import UnfitData
from tests.science.media_mix.simulated import known_mix, market

TRUTH = ([900.0, 500.0, 100.0], [60.0, 120.0, 60.0], [0.2, 0.6, 0.3])


@pytest.fixture(scope="module")
def mix():
    return known_mix(market(*TRUTH)[0], *TRUTH, spread=0.1)


@pytest.fixture(scope="module")
def best(mix):
    return allocate(mix, Budget(2000.0, 12))


def brought(mix, split, periods=12):
    """Independently: all contributions from now on, carryover included, under a flat plan."""
    plan = np.concatenate([np.tile(np.asarray(split) / periods, (periods, 1)), np.zeros((7, len(split)))])[:, None, :]
    return contributions(mix.parts[0], plan, mix.data.spend).sum(axis=(1, 2, 3)).mean()


def test_every_euro_is_placed(best):
    assert best.table["spend"].sum() == pytest.approx(2000, abs=1e-6)
    assert best.total == pytest.approx(2000, abs=1e-6)


def test_no_other_split_brings_more(mix, best):
    ours = brought(mix, best.table["spend"])
    steps = np.linspace(0, 2000, 26)
    others = [brought(mix, (a, b, 2000 - a - b)) for a, b in itertools.product(steps, steps) if a + b <= 2000]
    assert ours >= max(others) * 0.999
    assert best.checked <= 1 + 1e-9


def test_a_better_channel_gets_more_and_the_next_euro_is_worth_the_same(best):
    spend, marginal = best.table["spend"].to_numpy(), best.table["marginal"].to_numpy()
    assert spend[0] > spend[1] > spend[2]
    inner = spend > 1
    assert np.ptp(marginal[inner]) / marginal[inner].mean() < 0.05


def test_what_the_present_split_leaves_is_told_with_its_interval(mix, best):
    mean, low, high = best.left
    assert 0 < low < mean < high
    recent = best.table["recent"].to_numpy()
    assert mean == pytest.approx(brought(mix, best.table["spend"]) - brought(mix, recent * 2000 / recent.sum()), rel=0.01)


def test_bounds_and_pins_hold(mix):
    found = allocate(mix, Budget(2000.0, 12, bounds={"channel_0": (0, 300)}, pinned={"channel_2": 500.0})).table["spend"]
    assert found.tolist() == pytest.approx([300, 1200, 500])


def test_a_plan_that_is_pinned_throughout_is_answered_as_it_is(mix):
    found = allocate(mix, Budget(0.1 + 0.2 + 0.7, 12, pinned={"channel_0": 0.1, "channel_1": 0.2, "channel_2": 0.7}))
    assert found.table["spend"].tolist() == pytest.approx([0.1, 0.2, 0.7])
    assert found.left == pytest.approx((0, 0, 0))


def test_money_that_cannot_be_placed_is_refused_not_left_over(mix):
    with pytest.raises(UnfitData, match="bounds and pins allow 0 to 300; raise upper bounds"):
        allocate(mix, Budget(2000.0, 12, bounds={f"channel_{i}": (0, 100) for i in range(3)}))
    with pytest.raises(UnfitData, match="lower the least amounts"):
        allocate(mix, Budget(200.0, 12, pinned={"channel_0": 300.0}))
    with pytest.raises(UnfitData, match="no channel radio"):
        allocate(mix, Budget(200.0, 12, pinned={"radio": 1.0}))


def test_what_is_in_flight_is_no_merit_of_the_plan(mix):
    small = allocate(mix, Budget(1.0, 12))
    assert small.response[0] < 30
    silent = contributions(mix.parts[0], np.zeros((19, 1, 3)), mix.data.spend).sum(axis=(1, 2, 3)).mean()
    assert silent > 100


def test_a_window_of_one_period_counts_the_carryover_after_it(mix):
    found = allocate(mix, Budget(100.0, 1, pinned={"channel_0": 0.0, "channel_2": 0.0}))
    plan = np.zeros((8, 1, 3))
    plan[0, 0, 1] = 100
    part = mix.parts[0]
    gain = (contributions(part, plan, mix.data.spend) - contributions(part, plan * 0, mix.data.spend)).sum(axis=(1, 2, 3)).mean()
    assert found.response[0] == pytest.approx(gain, rel=0.01)


def test_s_shaped_returns_are_not_split_evenly():
    """Two channels that both need a push: all in one beats half in each."""
    truth = ([500.0, 500.0], [100.0, 100.0], [0.0, 0.0])
    mix = known_mix(market(*truth, slope=5.0)[0], *truth, slope=5.0)
    found = allocate(mix, Budget(1000.0, 8))
    assert found.table["spend"].min() < 100
    assert brought(mix, found.table["spend"], 8) > 1.5 * brought(mix, [500, 500], 8)


def test_the_careful_prefer_what_is_known():
    truth = ([500.0, 500.0], [80.0, 80.0], [0.3, 0.3])
    mix = known_mix(market(*truth)[0], *truth, draws=300)
    random = np.random.default_rng(1)
    draws = mix.parts[0].draws
    draws["ceiling"][:, 1] *= np.exp(0.8 * random.normal(size=300) + 0.1)
    careful = allocate(mix, Budget(1200.0, 12, risk=0.1)).table["spend"]
    bold = allocate(mix, Budget(1200.0, 12)).table["spend"]
    assert careful[1] < bold[1]
    assert careful.sum() == pytest.approx(1200)


def test_each_place_can_have_its_own_budget():
    truth = ([900.0, 300.0], [60.0, 120.0], [0.2, 0.6])
    mix = known_mix(market(*truth, geos=3)[0], *truth)
    found = allocate(mix, Budget(6000.0, 12, by_geo=True))
    assert len(found.table) == 6
    assert found.table["spend"].sum() == pytest.approx(6000)
    assert found.left[0] > 0


def test_the_largest_total_that_still_pays(mix):
    found = largest_total(mix, Budget(4000.0, 12), roas=4.0)
    assert found.response[0] / found.total == pytest.approx(4.0, rel=0.02)
    assert found.total < 4000
    with pytest.raises(UnfitData, match="lower the target"):
        largest_total(mix, Budget(4000.0, 12), roas=1000.0)


def test_expected_sales_follow_season_plan_and_what_is_in_flight(mix, best):
    budget = Budget(2000.0, 12)
    table = expected_sales(mix, budget, best)
    assert (table["low"] < table["high"]).all()
    silent = contributions(mix.parts[0], np.zeros((12, 1, 3)), mix.data.spend).sum(axis=(1, 2, 3)).mean()
    plan = contributions(mix.parts[0], np.tile(best.table["spend"].to_numpy() / 12, (12, 1))[:, None, :], mix.data.spend)
    assert table["mean"].sum() == pytest.approx(1000 * 12 + plan.sum(axis=(1, 2, 3)).mean(), rel=1e-6)
    assert plan.sum(axis=(1, 2, 3)).mean() > silent
    assert table["date"].iloc[0] == mix.data.dates[-1] + (mix.data.dates[1] - mix.data.dates[0])


def test_amounts_are_moved_as_little_as_bounds_allow():
    placed = fit_within(np.array([5.0, 5.0, 5.0]), np.zeros(3), np.array([3.0, 10.0, 10.0]), 15.0)
    assert placed == pytest.approx([3, 6, 6])
