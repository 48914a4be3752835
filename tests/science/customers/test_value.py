"""Value: published estimates, simulated customers whose truth is known, forecasts beside a plain baseline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.propensity import UnfitData
from lakehouse.science.value import (
    BgBb,
    BgNbd,
    Estimate,
    Histories,
    ParetoNbd,
    Prior,
    ShiftedBetaGeometric,
    fit_bg_bb,
    fit_bg_nbd,
    fit_gamma_gamma,
    fit_pareto_nbd,
    fit_renewals,
)
from lakehouse.science.value.gamma_gamma import dependence
from lakehouse.science.value.residual import (
    by_decile,
    discounted_purchases,
    payback,
    residual_value,
    tier_averages,
)


@pytest.fixture(scope="module")
def cdnow(shared_data: Path) -> tuple[Histories, pd.DataFrame]:
    table = pd.read_csv(shared_data / "cdnow_sample" / "cdnow_customers_summary_with_transactions.csv")
    return Histories.of(table.x, table.t_x, table["T"]), table


def test_bg_nbd_equals_the_published_estimate_on_the_cdnow_sample(cdnow):
    """Source: Fader, Hardie & Lee 2005, table 2; tolerance: half a unit of the last printed digit."""
    model, estimate = fit_bg_nbd(cdnow[0])
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=5.1e-4)
    assert estimate.log_likelihood == pytest.approx(-9582.4, abs=0.05)


def test_pareto_nbd_equals_the_published_estimate_on_the_cdnow_sample(cdnow):
    """Source: Fader, Hardie & Lee 2005, table 2; tolerance: half a unit of the last printed digit."""
    model, estimate = fit_pareto_nbd(cdnow[0])
    assert (model.r, model.alpha, model.s, model.beta) == pytest.approx((0.553, 10.578, 0.606, 11.669), abs=1.5e-3)
    assert estimate.log_likelihood == pytest.approx(-9595.0, abs=0.05)


def test_gamma_gamma_equals_the_published_estimate_on_the_946_repeat_buyers(cdnow):
    """Source: Fader & Hardie 2013; p 6.25, q 3.74, γ 15.44; tolerance .01."""
    model, estimate = fit_gamma_gamma(cdnow[1].x, cdnow[1].zbar)
    assert estimate.customers == 946
    assert (model.p, model.q, model.gamma) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)
    assert abs(dependence(cdnow[1].x, cdnow[1].zbar)) < 0.2


def test_the_next_39_weeks_are_forecast_as_published_and_1882_purchases_happened(cdnow, shared_data):
    """Issue: 1,882 happened; BG/NBD about 1,653, Pareto/NBD about 1,665; tolerance 1."""
    names = ["master", "customer_id", "day", "cds", "amount"]
    lines = pd.read_csv(shared_data / "cdnow_sample" / "CDNOW_sample.txt", sep=r"\s+", names=names, dtype={"day": str})
    later = lines[lines.day > "19970930"].drop_duplicates(["customer_id", "day"])
    assert len(later) == 1882
    assert fit_bg_nbd(cdnow[0])[0].expected(cdnow[0], 39).sum() == pytest.approx(1653, abs=1)
    assert fit_pareto_nbd(cdnow[0])[0].expected(cdnow[0], 39).sum() == pytest.approx(1665, abs=1)


def test_the_weak_prior_does_not_move_a_data_set_like_cdnow(cdnow):
    free, _ = fit_bg_nbd(cdnow[0])
    held, _ = fit_bg_nbd(cdnow[0], Prior({}))
    for name in ("r", "alpha", "a", "b"):
        assert getattr(held, name) == pytest.approx(getattr(free, name), rel=0.01)


def test_bg_bb_equals_the_published_estimate_on_the_donations(shared_data):
    """Source: Fader, Hardie & Shang 2010; α 1.204, β .750, γ .657, δ 2.783, LL −33225.6; tolerance .001."""
    table = pd.read_csv(shared_data / "cdnow_sample" / "donations.csv").astype(float)
    model, estimate = fit_bg_bb(Histories(*(table[c].to_numpy() for c in ("frequency", "recency", "periods", "weights"))))
    assert (model.alpha, model.beta, model.gamma, model.delta) == pytest.approx((1.204, 0.750, 0.657, 2.783), abs=1e-3)
    assert estimate.log_likelihood == pytest.approx(-33225.6, abs=0.05)
    assert estimate.customers == 11_104


def test_retention_over_seven_years_is_projected_as_published():
    """Source: Fader & Hardie 2007, table 1, survival to year 7 fitted, to year 12 kept back (39.4 %, 17.3 %)."""
    high, _ = fit_renewals([100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1])
    regular, _ = fit_renewals([100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1])
    assert (high.alpha, high.beta) == pytest.approx((0.668, 3.806), abs=5.1e-4)
    assert (regular.alpha, regular.beta) == pytest.approx((0.704, 1.182), abs=5.1e-4)
    assert high.survival(12) == pytest.approx(0.394, abs=0.02)
    assert regular.survival(12) == pytest.approx(0.173, abs=0.005)
    assert np.diff(high.retention(np.arange(1, 9))).min() > 0


def simulated(customers: int, seed: int) -> tuple[Histories, np.ndarray]:
    """Pareto/NBD customers of known truth: 78 weeks of history (times in days), purchases of 26 weeks after."""
    draw = np.random.default_rng(seed)
    rate = draw.gamma(0.8, 1 / 8.0, customers)
    leaving = np.minimum(draw.exponential(1 / draw.gamma(1.5, 1 / 60.0, customers)), 104.0)
    who = np.repeat(np.arange(customers), draw.poisson(rate * leaving))
    times = draw.uniform(0, leaving[who])
    seen = times <= 78
    x = np.bincount(who[seen], minlength=customers)
    last = np.zeros(customers)
    np.maximum.at(last, who[seen], np.ceil(times[seen] * 7) / 7)
    return Histories.of(x, last, np.full(customers, 78.0)), np.bincount(who[~seen], minlength=customers)


@pytest.fixture(scope="module")
def world() -> tuple[Histories, np.ndarray, ParetoNbd, Estimate]:
    seen, after = simulated(12_000, 1)
    return seen, after, *fit_pareto_nbd(seen)


def test_pareto_nbd_finds_the_truth_of_simulated_customers_within_its_intervals(world):
    estimate = world[3]
    truth = {"r": 0.8, "alpha": 8.0, "s": 1.5, "beta": 60.0}
    assert all(estimate.interval(n, 2.8)[0] < v < estimate.interval(n, 2.8)[1] for n, v in truth.items())


def test_the_total_of_the_next_half_year_is_within_5_percent_and_calibrated_by_decile(world):
    seen, after, model, _ = world
    assert model.expected(seen, 26).sum() == pytest.approx(after.sum(), rel=0.05)
    table = by_decile(model.expected(seen, 26), after)
    much = table[table.predicted > 0.3]
    assert len(much) >= 3 and much.ratio.between(0.9, 1.1).all()
    assert (table.predicted - table.happened).abs().max() < 0.1
    assert table.customers.sum() == 12_000


def test_bg_nbd_is_too_high_where_people_leave_without_having_bought_and_its_likelihood_says_so(world):
    """Its known limit: nobody leaves before a first repeat purchase."""
    seen, after, _, estimate = world
    simple, simple_fit = fit_bg_nbd(seen)
    assert estimate.log_likelihood > simple_fit.log_likelihood + 100
    assert 1.05 < simple.expected(seen, 26).sum() / after.sum() < 1.2


def test_the_model_beats_averages_of_recency_and_frequency_tiers_of_an_earlier_cohort(world):
    seen, after, model, _ = world
    earlier, done = simulated(4000, 2)
    plain = tier_averages(earlier.x, 78 - earlier.t_x, done, seen.x, 78 - seen.t_x)
    ours = model.expected(seen, 26)
    assert np.mean((ours - after) ** 2) < 0.9 * np.mean((plain - after) ** 2)
    assert np.mean(np.abs(ours - after)) < np.mean(np.abs(plain - after))


def test_alive_and_expectations_follow_sense(world):
    seen = Histories.of([0, 3, 3, 8], [0, 10, 50, 10], [52, 52, 52, 52])
    for model in (BgNbd(0.25, 4.4, 0.8, 2.4), ParetoNbd(0.55, 10.6, 0.6, 11.7), ParetoNbd(0.55, 8.0, 0.6, 11.7)):
        alive = model.alive(seen)
        assert (alive > 0).all() and (alive <= 1).all()
        assert alive[2] > alive[1] > alive[3]
        assert np.allclose(model.expected(seen, 0), 0)
        assert (np.diff([model.expected(seen, t) for t in (1, 10, 100)], axis=0) > 0).all()


def test_expectations_of_the_unknown_are_the_mean_over_simulated_customers(world):
    seen = world[0]
    assert ParetoNbd(0.8, 8.0, 1.5, 60.0).expected_of_new(78.0) == pytest.approx(seen.x.mean(), rel=0.04)
    draw = np.random.default_rng(5)
    p, leaves = draw.beta(1.2, 0.75, 40_000), draw.beta(0.66, 2.8, 40_000)
    lifetime = draw.geometric(leaves) - 1
    bought = draw.binomial(np.minimum(lifetime, 6), p)
    assert BgBb(1.2, 0.75, 0.66, 2.8).expected_of_new(6) == pytest.approx(bought.mean(), rel=0.02)


def test_the_whole_discounted_future_is_the_limit_of_long_horizons(world):
    seen = Histories.of([2, 9], [30, 50], [52, 52])
    model = ParetoNbd(0.8, 8.0, 1.5, 60.0)
    summed = discounted_purchases(model.expected, seen, 6000, 0.01, 1.0)
    assert model.discounted(seen, 0.01) == pytest.approx(summed, rel=2e-3)
    assert residual_value(summed, [10.0, 20.0], 0.3) == pytest.approx(summed * [3.0, 6.0])


def test_spending_of_few_purchases_is_shrunk_towards_the_mean():
    draw = np.random.default_rng(1)
    x = draw.geometric(0.3, 5000)
    rate = draw.gamma(4.0, 1 / 15.0, 5000)
    zbar = draw.gamma(6.0 * x) / rate / x
    model, estimate = fit_gamma_gamma(x, zbar)
    assert all(estimate.interval(n, 2.8)[0] < v < estimate.interval(n, 2.8)[1] for n, v in (("p", 6), ("q", 4), ("gamma", 15)))
    few, many = model.expected([1, 50], [100.0, 100.0])
    assert model.mean < few < many < 100
    assert model.expected([0], [0.0])[0] == pytest.approx(model.mean)


def test_distinct_rows_have_the_likelihood_of_all_customers(world):
    rounded = world[0]
    assert len(rounded.distinct().x) < len(rounded.x) / 2
    model = BgNbd(0.5, 5.0, 0.6, 2.0)
    assert model.log_likelihood(rounded.distinct()) == pytest.approx(model.log_likelihood(rounded))
    assert rounded.distinct().total == 12_000


def test_a_thin_segment_is_pooled_towards_all_customers(world):
    whole, estimate = world[2], world[3]
    few = Histories(*(part[:40] for part in (world[0].x, world[0].t_x, world[0].T, world[0].customers)))
    pooled, _ = fit_pareto_nbd(few, Prior.pooled(estimate, 0.2))
    assert abs(np.log(pooled.r / whole.r)) < 0.3 and abs(np.log(pooled.beta / whole.beta)) < 0.3
    assert pooled.r != whole.r


def test_draws_of_the_posterior_spread_as_its_intervals_say(world):
    estimate = world[3]
    drawn = [one["alpha"] for one in estimate.draws(4000, 1)]
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx(estimate.interval("alpha"), rel=0.02)
    assert estimate.draws(3, 1) == estimate.draws(3, 1)


def test_a_forecast_has_a_credible_interval_that_holds_what_happened(world):
    seen, after, _, estimate = world
    rows = seen.distinct()
    mean, low, high = estimate.credible(lambda one: float(rows.customers @ ParetoNbd(**one).expected(rows, 26)), 60)
    assert low < after.sum() < high
    assert (high - low) / mean < 0.15


def test_a_contract_renewed_often_is_worth_more_than_a_new_one():
    model = ShiftedBetaGeometric(0.668, 3.806)
    assert model.residual_lifetime(4, 0.1) > model.residual_lifetime(0, 0.1)
    assert ShiftedBetaGeometric(1e6, 4e6).residual_lifetime(0, 0.1) == pytest.approx(0.8 / (1 - 0.8 / 1.1), rel=1e-3)


def test_payback_is_the_moment_margin_has_repaid_the_cost():
    assert payback(1000, 50, [300, 400, 600, 100]) == (20.0, pytest.approx(2.5))
    assert payback(1000, 50, [300, 400]) == (20.0, None)
    with pytest.raises(UnfitData, match="won nobody"):
        payback(10, 0, [1])


@pytest.mark.parametrize(
    ("history", "message"),
    [
        (([1], [5], [4]), "0 ≤ t_x ≤ T"),
        (([2], [0], [4]), "the first: x=2, t_x=0"),
        (([0.5], [1], [4]), "whole x"),
        (([1, 2], [1], [4, 4]), "one per row"),
    ],
)
def test_impossible_histories_are_refused_with_the_first_one(history, message):
    with pytest.raises(UnfitData, match=message):
        Histories.of(*history)


def test_customers_who_never_return_do_not_tell_the_parameters_apart():
    with pytest.raises(UnfitData, match="give more customers"):
        fit_bg_nbd(Histories.of(np.zeros(50), np.zeros(50), np.full(50, 10.0)))
    with pytest.raises(UnfitData, match="never rising"):
        fit_renewals([100, 110, 90])
