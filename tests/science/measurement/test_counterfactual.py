import numpy as np
import pytest

from lakehouse.science.timeseries.counterfactual import believed_impact
from lakehouse.science.timeseries.intervention import regression_impact
from lakehouse.science.unfit import UnfitData


def scene(seed, wandering=0.0):
    """y = 1.2x + ε, +10 on days 71–100."""
    random = np.random.default_rng(seed)
    x = 100 + np.cumsum(random.normal(0, 0.5, 100))
    y = 1.2 * x + random.normal(0, 1, 100) + np.cumsum(random.normal(0, wandering, 100))
    y[70:] += 10
    return y, x


def covered(seeds, wandering, **options):
    hits = 0
    for seed, size in zip(seeds, wandering, strict=True):
        found = believed_impact(*scene(seed, size), 70, **options)
        hits += found.low <= 10 <= found.high
    return hits


def test_nine_of_ten_intervals_hold_the_truth():
    assert 85 <= covered(range(100), np.zeros(100)) <= 95


def test_so_do_they_over_levels_that_wander_as_believed():
    wandering = np.abs(np.random.default_rng(10).normal(0, 0.2, 100))
    assert 85 <= covered(range(1000, 1100), wandering, pace=0.2) <= 96


def test_a_level_that_cannot_wander_is_a_regression():
    y, x = scene(3)
    ours, plain = believed_impact(y, x, 70, pace=0), regression_impact(y, x, 70)
    assert (ours.average, ours.low, ours.high) == pytest.approx((plain.average, plain.low, plain.high))
    assert ours.counterfactual.low == pytest.approx(plain.counterfactual.low)


def test_the_further_ahead_the_less_is_known():
    found = believed_impact(*scene(4, 0.3), 70, pace=0.2).counterfactual
    width = found.high - found.low
    assert width[-1] > 1.3 * width[0]


def test_a_weekly_season_is_not_taken_for_an_effect():
    random = np.random.default_rng(5)
    week = np.array([0, 0, 0, 5, 5, 20, 20.0])
    y = 100 + week[np.arange(98) % 7] + random.normal(0, 1, 98)
    y[90:] += 8
    found = believed_impact(y, np.zeros((98, 0)), 90, season=7)
    assert found.low < 8 < found.high
    assert found.average == pytest.approx(8, abs=1.5)


def test_too_little_before_the_moment_is_refused():
    y, x = scene(1)
    with pytest.raises(UnfitData, match="at least 5"):
        believed_impact(y, x, 4)
