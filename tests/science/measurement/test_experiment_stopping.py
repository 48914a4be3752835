import numpy as np
import pytest
from scipy import stats

from lakehouse.science.experiments.confidence_sequences import (
    always_valid_p,
    difference_sequence,
    half_width,
    tuning,
)
from lakehouse.science.experiments.interim import Look, StoppingPlan, judge
from lakehouse.science.experiments.sequential import (
    boundaries,
    crossing,
    equal_looks,
    inflation,
    naive_error,
    spending_boundaries,
)

OBRIEN_FLEMING = [3.915, 2.768, 2.260, 1.958, 1.751]


@pytest.fixture(scope="module")
def looks():
    """20,000 experiments without effect, 1,000 units per arm and look: (20,000, 5) values of Z."""
    draw = np.random.default_rng(20_26)
    steps = draw.normal(size=(20_000, 5)).cumsum(axis=1)
    return steps / np.sqrt(np.arange(1, 6))


def test_boundaries_for_five_looks_are_the_published_ones():
    # Jennison & Turnbull (2000), tables 2.1 and 2.3: alpha 0.10, five looks
    assert boundaries("pocock", equal_looks(5)) == pytest.approx([2.122] * 5, abs=0.0005)
    assert boundaries("obrien_fleming", equal_looks(5)) == pytest.approx(OBRIEN_FLEMING, abs=0.0005)


@pytest.mark.parametrize("shape", ["pocock", "obrien_fleming"])
def test_our_error_rate_is_ten_per_cent_exactly(shape):
    assert crossing(boundaries(shape, equal_looks(5)), equal_looks(5)).sum() == pytest.approx(0.10, abs=1e-8)


@pytest.mark.parametrize("shape", ["pocock", "obrien_fleming"])
def test_our_error_rate_is_ten_per_cent_in_twenty_thousand_experiments(shape, looks):
    stopped = (np.abs(looks) >= boundaries(shape, equal_looks(5))).any(axis=1).mean()
    assert stopped == pytest.approx(0.10, abs=2 * np.sqrt(0.09 / 20_000))


def test_peeking_five_times_at_ninety_per_cent_errs_in_a_quarter_of_experiments(looks):
    assert naive_error(5) == pytest.approx(0.26, abs=0.005)
    stopped = (np.abs(looks) >= stats.norm.isf(0.05)).any(axis=1).mean()
    assert stopped == pytest.approx(naive_error(5), abs=2 * np.sqrt(0.26 * 0.74 / 20_000))


def test_peeking_at_ninety_five_per_cent_agrees_with_the_first_table():
    # Armitage, McPherson, Rowe (1969), table 2: 5 looks 14.2 %, 10 looks 19.3 %, 20 looks 24.8 %
    assert [naive_error(n, 0.95) for n in (1, 5, 10, 20)] == pytest.approx([0.05, 0.142, 0.193, 0.248], abs=0.0006)


def test_the_integral_agrees_with_the_bivariate_normal():
    times = np.array([0.3, 1.0])
    law = stats.multivariate_normal([0, 0], [[1, np.sqrt(0.3)], [np.sqrt(0.3), 1]])
    inside = law.cdf([2, 1.8], lower_limit=[-2, -1.8])
    assert crossing(np.array([2.0, 1.8]), times).sum() == pytest.approx(1 - inside, abs=1e-6)


def test_spending_keeps_the_error_for_looks_nobody_planned():
    # Lan-DeMets O'Brien-Fleming at .05, five equal looks: 4.8769 3.3569 2.6803 2.2898 2.0310 (their programme)
    got = spending_boundaries("obrien_fleming", equal_looks(5), 0.05)
    assert got == pytest.approx([4.8769, 3.3570, 2.6803, 2.2898, 2.0310], abs=0.0005)
    times = np.array([0.13, 0.4, 0.55, 1.0])
    assert crossing(spending_boundaries("pocock", times), times).sum() == pytest.approx(0.10, abs=1e-6)


@pytest.mark.parametrize(("shape", "factor"), [("pocock", 1.228), ("obrien_fleming", 1.028)])
def test_looking_five_times_costs_few_units(shape, factor):
    times = equal_looks(5)
    bounds = boundaries(shape, times, 0.05)
    got = inflation(bounds, times, 0.05)
    assert got == pytest.approx(factor, abs=0.0006)
    # The same power from an independent integral: the five-variate normal of the looks
    mean = np.sqrt(got * times) * (stats.norm.isf(0.025) + stats.norm.ppf(0.8))
    shared = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
    law = stats.multivariate_normal(mean, shared, maxpts=200_000, abseps=1e-5, seed=0)
    assert 1 - law.cdf(bounds, lower_limit=-bounds) == pytest.approx(0.8, abs=1e-4)


def test_looks_that_do_not_advance_are_refused():
    with pytest.raises(ValueError, match="at increasing times"):
        crossing(np.array([2.0, 2.0]), np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match="choose 'obrien_fleming' or 'pocock'"):
        boundaries("haybittle", equal_looks(5))


def test_a_confidence_sequence_holds_at_every_moment_at_once():
    draw = np.random.default_rng(3)
    runs, length = 1_000, 3_000
    n = np.arange(1, length + 1)
    centre = draw.exponential(size=(runs, length)).cumsum(axis=1) / n - 1.0
    width = half_width(1 / np.sqrt(n), n, tuning(0.10, 1_000))
    missed = (np.abs(centre) > width)[:, 29:].any(axis=1).mean()
    fixed = (np.abs(centre) > 1.645 / np.sqrt(n))[:, 29:].any(axis=1).mean()
    assert missed <= 0.10 + 2 * np.sqrt(0.09 / runs)
    assert fixed > 0.5


def test_an_always_valid_p_never_rises_and_agrees_with_its_interval():
    draw = np.random.default_rng(5)
    n = np.arange(1, 2_001)
    mean = draw.normal(0.1, 1, 2_000).cumsum() / n
    rho = tuning(0.10, 1_000)
    p = always_valid_p(mean * np.sqrt(n), n, rho)
    outside = np.abs(mean) > half_width(1 / np.sqrt(n), n, rho)
    assert np.all(np.diff(p) <= 0)
    assert np.array_equal(p < 0.10, np.logical_or.accumulate(outside))


def test_a_difference_between_arms_is_followed_as_units_arrive():
    draw = np.random.default_rng(7)
    effect, low, high = difference_sequence(draw.normal(5, 2, 4_000), draw.normal(5.5, 2, 4_000), planned=2_000)
    assert len(effect) == 4_000 - 29
    assert np.all((low <= 0.5) & (high >= 0.5))
    assert low[-1] > 0
    with pytest.raises(ValueError, match="at least 30"):
        difference_sequence(np.zeros(5), np.zeros(5), planned=100)


def run(plan, effects, errors, units):
    """Judge one experiment look by look until it stops."""
    seen = []
    for effect, error, count in zip(effects, errors, units, strict=True):
        seen.append(Look(count, effect, error))
        verdict = judge(plan, seen)
        if verdict.stop:
            break
    return verdict, len(seen)


@pytest.mark.parametrize("rule", ["obrien_fleming", "pocock", "always_valid"])
def test_stopping_by_plan_errs_no_more_than_declared_at_uneven_looks(rule):
    units = np.array([300, 1_000, 1_200, 2_900, 4_000])
    draw = np.random.default_rng(17)
    plan = StoppingPlan(rule, planned=4_000)
    errors = 2 / np.sqrt(units)
    bounds = [judge(plan, [Look(int(u), 0.0, 1.0) for u in units[: k + 1]]).bound for k in range(5)]
    steps = draw.normal(size=(20_000, 5)) * np.sqrt(np.diff(units, prepend=0))
    z = steps.cumsum(axis=1) / np.sqrt(units)
    rate = (np.abs(z) >= np.array(bounds)).any(axis=1).mean()
    room = 2 * np.sqrt(0.09 / 20_000)
    assert rate <= 0.10 + room
    assert rate >= 0.10 - room or rule == "always_valid"
    verdict, _ = run(plan, z[0] * errors, errors, units.tolist())
    assert verdict.low < verdict.high


def test_a_large_effect_stops_early_and_an_absent_one_runs_to_the_end():
    units = [1_000, 2_000, 3_000, 4_000]
    errors = [2 / np.sqrt(u) for u in units]
    plan = StoppingPlan("obrien_fleming", 4_000)
    found, looks = run(plan, [0.4] * 4, errors, units)
    assert (found.stop, found.effective, looks) == (True, True, 1)
    found, looks = run(plan, [0.0] * 4, errors, units)
    assert (found.stop, found.effective, looks) == (True, False, 4)
    assert "All 4,000 units are in" in found.why


def test_units_beyond_the_plan_do_not_spend_more_error():
    plan = StoppingPlan("pocock", 1_000)
    verdict = judge(plan, [Look(990, 0.0, 1.0), Look(1_020, 0.0, 1.0)])
    assert verdict.stop
    assert verdict.bound > judge(plan, [Look(1_000, 0.0, 1.0)]).bound


def test_a_fixed_plan_gives_no_verdict_before_its_time():
    verdict = judge(StoppingPlan("fixed", 4_000), [Look(2_000, 9.0, 1.0)])
    assert not verdict.stop
    assert "no verdict yet" in verdict.why


@pytest.mark.parametrize(
    ("rule", "units", "words"),
    [
        ("pocock", [1_000, 1_010], "declare always_valid"),
        ("pocock", [4_000, 5_000], "no further look is allowed"),
        ("fixed", [2_000, 1_000], "each with more units"),
    ],
)
def test_a_look_outside_the_plan_is_refused(rule, units, words):
    with pytest.raises(ValueError, match=words):
        judge(StoppingPlan(rule, 4_000), [Look(u, 0.0, 1.0) for u in units])
