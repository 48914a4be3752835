from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.attribution import rules
from lakehouse.science.attribution.breakdown import to_touches
from lakehouse.science.attribution.methods import against_truth, attribute, with_cost
from lakehouse.science.attribution.paths import Paths, from_text


@pytest.fixture(scope="module")
def pathdata(shared_data) -> Paths:
    rows = pd.read_csv(shared_data / "attribution_pathdata" / "pathdata.csv")
    counts = (rows[name] for name in ("total_conversions", "total_conversion_value", "total_null"))
    return from_text(rows["path"], *counts)


# attribution_pathdata/README.md, after R package ChannelAttribution
FIRST = {
    "alpha": 6308,
    "iota": 4606,
    "eta": 3164,
    "beta": 2831,
    "theta": 1606,
    "gamma": 165,
    "epsilon": 99,
    "kappa": 74,
}
FIRST |= {"lambda": 902, "zeta": 27, "mi": 2, "delta": 1}
LAST = {
    "alpha": 8447,
    "eta": 4167,
    "iota": 3355,
    "beta": 989,
    "theta": 653,
    "epsilon": 531,
    "kappa": 230,
    "zeta": 107,
}
LAST |= {"lambda": 1207, "gamma": 92, "delta": 5, "mi": 2}
LINEAR = {
    "alpha": 7574.7,
    "iota": 3857.1,
    "eta": 3540.0,
    "beta": 2083.5,
    "theta": 1022.8,
    "epsilon": 272.2,
    "kappa": 138.0,
}
LINEAR |= {"lambda": 1035.3, "zeta": 136.6, "gamma": 121.0, "mi": 2.2, "delta": 1.7}


@pytest.mark.shared_data
def test_the_published_journeys_hold_their_totals(pathdata):
    assert pathdata.converted.sum() == 19_785
    assert pathdata.lost.sum() == 68_602
    assert pathdata.value.sum() == pytest.approx(74_802.97, abs=0.005)


@pytest.mark.shared_data
@pytest.mark.parametrize(("rule", "published"), [("first", FIRST), ("last", LAST), ("linear", LINEAR)])
def test_rules_give_the_published_conversions(pathdata, rule, published):
    won = rules.credit(pathdata, rules.RULES[rule](pathdata))
    assert dict(zip(pathdata.channels, won.round(1), strict=True)) == pytest.approx(published, abs=0.0501)


@pytest.mark.parametrize("rule", list(rules.RULES))
def test_every_rule_hands_out_each_conversion_once(rule):
    paths = from_text(["a", "a > b", "b > a > c", "c > c > b > a > a"], [3, 1, 2, 1], [30, 5, 8, 9])
    weights = rules.RULES[rule](paths)
    assert np.bincount(paths.journey, weights) == pytest.approx(np.ones(4))
    assert rules.credit(paths, weights, value=True).sum() == pytest.approx(52)


def test_forty_twenty_forty_by_length_of_journey():
    paths = from_text(["a", "a > b", "a > b > c", "a > b > c > d"], [1, 1, 1, 1])
    assert rules.position(paths) == pytest.approx([1, 0.5, 0.5, 0.4, 0.2, 0.4, 0.4, 0.1, 0.1, 0.4])


def test_a_touch_one_half_life_older_earns_half():
    paths = from_text(["a > b"], [1])
    aged = replace(paths, age=np.array([7.0, 0.0]))
    assert rules.time_decay(aged, half_life=7) == pytest.approx([1 / 3, 2 / 3])


def test_very_old_journeys_are_shared_too():
    paths = from_text(["a > b"], [1])
    old = replace(paths, age=np.array([20_000.0, 19_993.0]))
    assert rules.time_decay(old, half_life=7) == pytest.approx([1 / 3, 2 / 3])


def test_credit_by_touch_sums_to_the_credit_of_its_channel():
    paths = from_text(["a > b > a", "b > c", "a"], [2, 1, 0], lost=[0, 3, 5])
    credit = np.array([1.2, 1.5, 0.3])
    assert np.bincount(paths.touch, to_touches(paths, credit), 3) == pytest.approx(credit)


def test_a_channel_without_known_spend_is_not_free():
    table = with_cost(attribute(from_text(["a > b"], [4], [40.0]), ["linear"]), {"a": 10.0})
    assert table.loc[0, ["cost_per_conversion", "return_on_cost"]].tolist() == [5.0, 2.0]
    assert table.loc[1, ["cost", "cost_per_conversion", "return_on_cost"]].isna().all()


def test_an_unknown_method_is_refused_with_the_valid_ones():
    with pytest.raises(ValueError, match=r"no method \['u_shaped'\]. Valid: first, last"):
        attribute(from_text(["a"], [1]), ["u_shaped"])


def test_the_distance_to_the_truth_is_zero_for_the_truth():
    credit = attribute(from_text(["a > b", "a"], [2, 2], lost=[1, 9]), ["first", "last"])
    scored = against_truth(credit, {"a": 1.0, "b": 1.0}).set_index("method")
    assert scored.loc["last", "share_error"] == pytest.approx(0)
    assert scored.loc["first", "share_error"] == pytest.approx(0.5)
    assert scored.loc["first", "total_ratio"] == pytest.approx(2)
