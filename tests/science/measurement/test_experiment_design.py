import numpy as np
import pytest

from lakehouse.science.experiments.multiplicity import adjusted_alpha, adjusted_p, holm
from lakehouse.science.experiments.power import (
    CALENDAR_SHARES,
    Sizes,
    clustered,
    detectable_proportion,
    power_means,
    ratio_deviation,
    size_means,
    size_proportions,
    weeks,
)


@pytest.mark.parametrize(("declared", "per_arm"), [({"alpha": 0.05}, 8_158), ({"alpha": 0.10}, 6_426), ({"kpis": 4}, 9_880)])
def test_five_to_six_per_cent_with_power_eight_tenths(declared, per_arm):
    # The figures: two-sided, pooled variance
    assert size_proportions(0.05, 0.06, **declared) == Sizes(per_arm, per_arm)


def test_ninety_to_ten_with_five_per_cent_in_control():
    assert size_proportions(0.05, 0.06, alpha=0.10, control_share=0.9) == Sizes(31_378, 3_487)


def test_a_calendar_campaign_reaches_nine_in_ten():
    assert CALENDAR_SHARES == (0.1, 0.9)
    sizes = size_proportions(0.05, 0.06, control_share=CALENDAR_SHARES[0])
    assert sizes.treatment == pytest.approx(9 * sizes.control, abs=9)


def test_three_kpis_share_nothing_and_four_share_the_error():
    assert adjusted_alpha(0.10, 3) == 0.10
    assert adjusted_alpha(0.10, 4) == pytest.approx(0.025)
    assert adjusted_p(np.array([0.01, 0.02, 0.03, 0.5])) == pytest.approx([0.04, 0.08, 0.12, 1.0])
    assert adjusted_p(np.array([0.01, 0.02])) == pytest.approx([0.01, 0.02])


def test_holm_steps_down():
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])


def test_the_planned_size_has_the_planned_power_when_simulated():
    sizes = size_means(10.0, 1.0)
    draw = np.random.default_rng(1)
    error = 10.0 * np.sqrt(1 / sizes.control + 1 / sizes.treatment)
    z = draw.normal(1.0 / error, 1.0, 20_000)
    assert np.mean(np.abs(z) > 1.6448536) == pytest.approx(0.8, abs=2 * np.sqrt(0.16 / 20_000) + 0.001)
    assert power_means(10.0, 1.0, sizes) == pytest.approx(0.8, abs=0.001)


def test_power_of_proportions_holds_for_real_coin_flips():
    sizes = size_proportions(0.05, 0.06)
    draw = np.random.default_rng(2)
    won = draw.binomial(sizes.control, [[0.05], [0.06]], (2, 20_000)) / sizes.control
    pooled = won.mean(axis=0)
    z = (won[1] - won[0]) / np.sqrt(pooled * (1 - pooled) * 2 / sizes.control)
    assert np.mean(np.abs(z) > 1.6448536) == pytest.approx(0.8, abs=0.007)


def test_what_can_be_seen_is_the_inverse_of_what_is_needed():
    assert detectable_proportion(0.05, Sizes(6_426, 6_426)) == pytest.approx(0.01, abs=1e-5)
    with pytest.raises(ValueError, match="plan more units"):
        detectable_proportion(0.5, Sizes(3, 3))


def test_a_known_past_saves_units():
    plain, helped = size_means(10.0, 1.0), size_means(10.0, 1.0, correlation=0.7)
    assert helped.control == pytest.approx(plain.control * (1 - 0.49), abs=1)


def test_randomising_clusters_costs_the_design_effect():
    assert clustered(Sizes(1_000, 1_000), cluster_size=21, correlation=0.05) == Sizes(2_000, 2_000)


def test_the_spread_of_a_ratio_counts_its_denominator():
    views = np.array([10.0, 20.0, 30.0, 40.0])
    assert ratio_deviation(views * 0.3, views) == pytest.approx(0.0)
    assert ratio_deviation(np.array([1.0, 0.0, 1.0, 0.0]), np.ones(4)) == pytest.approx(np.std([1, 0, 1, 0], ddof=1))


def test_duration_is_in_whole_weeks():
    assert weeks(Sizes(6_426, 6_426), units_per_week=5_000) == 3
    assert weeks(Sizes(10, 10), units_per_week=5_000, minimum=2) == 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: size_proportions(0.05, 0.05), "both rates are 0.05"),
        (lambda: size_proportions(5, 6), "between 0 and 1"),
        (lambda: size_means(1.0, 0.0), "neither may be zero"),
        (lambda: size_proportions(0.05, 0.06, side="up"), "declare 'two-sided', 'greater' or 'less'"),
        (lambda: size_proportions(0.05, 0.06, control_share=1.0), "the control's share"),
    ],
)
def test_a_design_that_makes_no_sense_is_refused_with_the_repair(call, words):
    with pytest.raises(ValueError, match=words):
        call()
