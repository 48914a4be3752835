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
