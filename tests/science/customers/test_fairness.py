"""Fairness: gaps equal fairlearn's, intervals cover, limits block, mitigation closes the gap at a stated cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.fairness import audit, campaign_reach, gaps, group_table, mitigate, reach
from lakehouse.science.propensity import UnfitData
from lakehouse.science.propensity.newton import sigmoid


def people(rows: int, seed: int, shift: float = 0.8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two groups whose rates differ by `shift` in log odds; the probabilities are true."""
    draw = np.random.default_rng(seed)
    group = draw.choice(["a", "b"], rows, p=[0.6, 0.4])
    p = sigmoid(draw.normal(-1, 1, rows) + shift * (group == "a"))
    return p, (draw.random(rows) < p).astype(int), group


def test_gaps_equal_those_of_fairlearn():
    from fairlearn.metrics import demographic_parity_difference, equal_opportunity_difference

    p, y, group = people(3000, 1)
    chosen = (p >= 0.4).astype(int)
    parity, opportunity, _ = gaps(p, y, group, 0.4)
    assert parity.gap == pytest.approx(demographic_parity_difference(y, chosen, sensitive_features=group))
    assert opportunity.gap == pytest.approx(equal_opportunity_difference(y, chosen, sensitive_features=group))
    assert (parity.high_group, parity.low_group) == ("a", "b")


def test_intervals_cover_the_true_gap_about_as_often_as_they_say():
    big, _, group = people(400_000, 99)
    truth = np.mean(big[group == "a"] >= 0.4) - np.mean(big[group == "b"] >= 0.4)
    inside = 0
    for seed in range(100):
        p, y, group = people(600, seed)
        gap = gaps(p, y, group, 0.4)[0]
        inside += gap.low < truth < gap.high
    assert 90 <= inside <= 99


def test_the_interval_of_two_proportions_is_newcombes_and_wider_among_three_groups():
    """Source: Newcombe 1998, table II, example (a), method 10: 56/70 and 48/80 give .0524 to .3339."""
    chosen = np.repeat([1.0, 0.0, 1.0, 0.0], [56, 14, 48, 32])
    group = np.repeat(["a", "b"], [70, 80])
    label = np.arange(150) % 2
    gap = gaps(chosen, label, group, 0.5)[0]
    assert (gap.gap, gap.low, gap.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5.1e-5)
    third = np.append(group, ["c"] * 60), np.append(chosen, np.arange(60) % 10 < 7)
    wider = gaps(third[1], np.append(label, label[:60]), third[0], 0.5)[0]
    assert wider.gap == gap.gap
    assert wider.low < gap.low - 0.02 and wider.high > gap.high + 0.02


def test_true_probabilities_have_no_calibration_gap_and_shifted_ones_do():
    p, y, group = people(20_000, 3)
    assert gaps(p, y, group, 0.4)[2].low <= 0
    wrong = np.where(group == "b", np.minimum(p + 0.1, 1), p)
    gap = gaps(wrong, y, group, 0.4)[2]
    assert gap.low > 0 and gap.gap == pytest.approx(0.1, abs=0.02) and gap.low_group == "b"
    assert group_table(wrong, y, group, 0.4).loc["b", "off"] == pytest.approx(-0.1, abs=0.02)


def test_a_gap_beyond_its_limit_blocks_promotion_and_says_whom_it_hits():
    p, y, group = people(4000, 4)
    same = np.random.default_rng(1).choice(["x", "y"], 4000)
    found = audit(p, y, pd.DataFrame({"sex": group, "coin": same}), 0.4)
    assert found.blocked
    assert found.text.splitlines()[0].startswith("beyond: sex, demographic parity gap 0.")
    assert found.table.query("attribute == 'coin'").verdict.isin(["within", "uncertain"]).all()
    assert not audit(p, y, pd.DataFrame({"coin": same}), 0.4).blocked
    loose = {"demographic parity": 0.5, "equal opportunity": 0.5}
    assert not audit(p, y, pd.DataFrame({"sex": group}), 0.4, loose).blocked


def test_few_people_leave_the_verdict_uncertain():
    p, y, group = people(160, 5, shift=0.0)
    assert "uncertain" in set(audit(p, y, pd.DataFrame({"sex": group}), 0.4).table.verdict)


@pytest.mark.parametrize(("aim", "place"), [("demographic parity", 0), ("equal opportunity", 1)])
def test_mitigation_closes_the_gap_and_states_its_cost(aim, place):
    p, y, group = people(6000, 6)
    before = gaps(p, y, group, float(np.sort(p)[-1200]))[place]
    plan = mitigate(p, y, group, 1200, aim)
    after = gaps(np.where(plan.chosen, 1.0, 0.0), y, group, 0.5)[place]
    assert before.gap > 0.1 and after.gap < 0.01
    assert plan.chosen.sum() == pytest.approx(1200, abs=6)
    assert 0 < plan.cost < 0.2
    assert plan.thresholds["a"] > plan.thresholds["b"]
    assert np.array_equal(plan.chosen, p >= np.where(group == "a", plan.thresholds["a"], plan.thresholds["b"]))


def test_a_campaign_that_passes_a_group_by_is_seen():
    draw = np.random.default_rng(7)
    group = np.repeat(["old", "young", "middle"], [400, 400, 400])
    reached = draw.random(1200) < np.select([group == "old", group == "young"], [0.2, 0.5], 0.48)
    table = reach(reached, group)
    assert table.disparate.to_dict() == {"middle": False, "old": True, "young": False}
    assert table.ratio.max() == 1


def test_with_equal_chances_hardly_a_campaign_in_twenty_passes_anybody_by_and_a_group_that_is_passed_by_is_found():
    draw = np.random.default_rng(8)
    sizes = {"country": {"DE": 1500, "AT": 300, "CH": 80, "IT": 25, "MT": 4}, "age": {"18-29": 90, "30-44": 150, "60+": 60}}
    rows = [(name, group, n) for name, groups in sizes.items() for group, n in groups.items()]

    def night(chance):
        counted = [(name, group, n, draw.binomial(n, chance(group))) for name, group, n in rows]
        return pd.DataFrame(counted, columns=["attribute", "group", "customers", "reached"])

    def flagged(chance):
        return campaign_reach(night(chance)).query("disparate")["group"].to_list()

    alarms, small = (np.mean([flagged(lambda _, p=p: p) != [] for _ in range(80)]) for p in (0.5, 0.03))
    found = np.mean([flagged(lambda group: 0.3 if group == "AT" else 0.6) == ["AT"] for _ in range(10)])
    print(f"false alarms of a night: {alarms:.3f} at 50 % reached, {small:.3f} at 3 %; half the reach of the others found in {found:.0%}")
    assert alarms < 0.05 and small < 0.05 and found > 0.9

    table = campaign_reach(night(lambda _: 0.5))
    assert table[table["attribute"] == "country"]["group"].to_list() == ["AT", "CH", "DE"]  # Italy and Malta: 29, with the largest
    assert table[table["attribute"] == "country"]["customers"].sum() == 1909
    nobody, one = night(lambda _: 0.0), night(lambda _: 0.5).query("group == 'DE'")
    assert [campaign_reach(each).shape for each in (nobody, one, nobody.head(0))] == [(0, 9)] * 3


def test_missing_groups_are_a_group_and_tiny_ones_are_refused():
    p, y, group = people(300, 8)
    with pytest.raises(UnfitData, match=r"below 30 rows: \['unknown'\]"):
        gaps(p, y, [None, *group[1:]], 0.4)
    with pytest.raises(UnfitData, match="'parity' is no measure"):
        audit(p, y, pd.DataFrame({"sex": group}), 0.4, {"parity": 0.1})
