"""Customers of simulated companies whose truth is known: our answers beside simple rules and the best possible, two companies."""

from typing import Any

import pytest

from tests.scorecard import customers


@pytest.fixture(scope="module")
def measured() -> list[dict[str, Any]]:
    return [customers.one(seed) for seed in (3, 7)]


def mean(measured: list[dict[str, Any]], name: str) -> float:
    return sum(one[name] for one in measured) / len(measured)


def test_purchases_are_ranked_within_two_points_of_the_best_anybody_could_and_better_than_by_recency(measured):
    for one in measured:
        assert one["auc_rule"] < one["auc"] and one["auc"] > one["auc_best"] - 0.02
        assert 0.85 < one["slope"] < 1.15


def test_the_total_of_the_next_month_is_within_5_percent_and_better_than_averages_of_tiers(measured):
    for one in measured:
        assert abs(one["total"] - 1) < 0.05 < abs(one["total_rule"] - 1)
        assert one["deviance"] < 0.85 * one["deviance_rule"]


def test_the_value_of_the_whole_remaining_life_is_that_of_the_truth_by_tenth_and_nearer_than_averages_of_tiers(measured):
    print({name: [round(one[name], 3) for one in measured] for name in ("life", "life_off", "life_error", "life_error_rule")})
    assert abs(mean(measured, "life") - 1) < 0.05
    for one in measured:
        assert one["life_off"] < 0.2 and one["life_error"] < 0.75 * one["life_error_rule"]


def test_as_many_buyers_are_said_to_have_left_as_truly_have(measured):
    for one in measured:
        half = 3 * (one["left_true"] * (1 - one["left_true"]) / one["left_of"]) ** 0.5
        print(f"left: {one['left_told']:.4f} forecast, {one['left_true']:.4f} ± {half:.4f} in truth, model {one['value_model']}")
        assert abs(one["left_told"] - one["left_true"]) < half


def test_a_shop_of_two_hundred_customers_and_95_days_is_enough_for_the_value_model_to_pass_its_trial(monkeypatch):
    from lakehouse.science.propensity.promotion import gain
    from lakehouse.science.value.customer_value import fit_customer_value, poisson_deviance
    from lakehouse.science.value.residual import tier_averages

    monkeypatch.setattr(customers, "MORNINGS", (34, 64))
    passed = []
    for seed in (7, 8, 9, 10):
        past = customers.simulated(seed, 200, 95)
        then, now = customers.rows(past, 34), customers.rows(past, 64)
        happened = now["order_days_after"].to_numpy()
        model = fit_customer_value(now[customers.HISTORY]).calibrated(then[customers.HISTORY], then["order_days_after"].to_numpy())
        rule = tier_averages(then["repeat_days"], then["days_observed"] - then["last_repeat_day"], then["order_days_after"],
                             now["repeat_days"], now["days_observed"] - now["last_repeat_day"])  # fmt: skip
        found = gain(poisson_deviance(rule, happened), poisson_deviance(model.orders(now[customers.HISTORY], 30), happened))
        print(f"seed {seed}: gain {found.gain:.3f} ({found.low:.3f} to {found.high:.3f})")
        passed.append(found.low > 0)
    assert all(passed)


def test_who_has_left_for_good_can_be_told_from_who_pauses(measured):
    assert mean(measured, "churn_auc") > 0.9


def test_hidden_types_are_found_at_least_as_well_as_by_plain_k_means_told_their_number(measured):
    assert mean(measured, "ari") >= mean(measured, "ari_plain")


def test_mailing_by_the_learnt_effect_earns_at_least_80_percent_of_the_best_possible(measured):
    for one in measured:
        print(f"policy {one['policy']:.1%} of the best possible, everybody {one['policy_all']:.1%}")
        assert one["policy"] >= 0.80


def test_a_section_without_figures_says_so_and_one_with_figures_has_every_row(tmp_path, measured):
    file = tmp_path / "customers.jsonl"
    assert customers.tables(file) == ["No company measured yet."]
    import json

    file.write_text("\n".join(json.dumps(one | {"cpu_seconds": 1.0}) for one in measured))
    assert len(customers.tables(file)) == 2 + len(customers.FIGURES) + 2
