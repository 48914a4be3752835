"""What is credited part by part, and from counted paths, is what is credited on all journeys at once."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.attribution.at_scale import BY_CHANNEL, EVENLY, SEPARATOR, credit_channels, credit_touches, in_order
from lakehouse.science.attribution.bootstrap import bootstrap
from lakehouse.science.attribution.breakdown import break_down
from lakehouse.science.attribution.groups import credit_group, error, reach
from lakehouse.science.attribution.methods import METHODS
from lakehouse.science.attribution.rules import RULES
from lakehouse.science.unfit import UnfitData


@pytest.fixture(scope="module")
def touches():
    random = np.random.default_rng(5)
    rows = []
    for journey in range(400):
        length = int(random.integers(1, 6))
        won = int(random.random() < 0.3)
        ages = np.sort(random.random(length) * 20)[::-1]
        for position in range(length):
            channel = str(random.choice(["search", "email", "social"]))
            day = pd.Timestamp("2026-11-01") + pd.Timedelta(days=int(random.integers(0, 3)))
            rows.append((journey, position + 1, channel, f"{channel} {random.integers(0, 2)}", day, ages[position], won, won * 25.0))
    columns = ["journey", "position", "channel", "campaign", "day", "days_before_end", "conversions", "value"]
    return pd.DataFrame(rows, columns=columns)


def test_parts_and_counted_paths_give_what_everything_at_once_gives(touches):
    parts = pd.concat([credit_touches(part.sample(frac=1, random_state=1)) for _, part in touches.groupby(touches["journey"] % 3)])
    placed = parts.groupby(["method", "channel", "campaign", "day"])[["conversions", "value"]].sum()
    journeys = touches.groupby("journey").agg(path=("channel", SEPARATOR.join), conversions=("conversions", "max"), value=("value", "max"))
    counted = journeys.assign(lost=journeys["conversions"] == 0).groupby("path", as_index=False).sum()
    channels = credit_channels(counted).set_index(["method", "channel"])
    paths = in_order(touches)
    for method in (*RULES, *BY_CHANNEL):
        expected = break_down(paths, touches, method).set_index(["channel", "campaign", "day"])["conversions"]
        if method in RULES:
            found = placed.loc[method, "conversions"]
        else:
            evenly = placed.loc[EVENLY, "conversions"]
            scale = channels.loc[method, "conversions"] / evenly.groupby("channel").sum()
            found = evenly * scale.reindex(evenly.index.get_level_values("channel")).to_numpy()
        expected = expected[expected > 0]
        assert found.reindex(expected.index).to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-6), method
        assert found.sum() == pytest.approx(expected.sum(), rel=1e-6)


def test_one_markov_chain_is_chosen_and_without_a_conversion_nobody_is_credited():
    none = pd.DataFrame({"path": ["search > email"], "conversions": [0.0], "value": [0.0], "lost": [3.0]})
    assert credit_channels(none).empty
    some = pd.DataFrame({"path": ["email", "search > email"], "conversions": [4.0, 2.0], "value": [8.0, 9.0], "lost": [3.0, 9.0]})
    found = credit_channels(some)
    assert set(found["method"]) == set(BY_CHANNEL)
    assert found.loc[found["is_chosen"] & found["method"].str.startswith("markov_"), "method"].nunique() == 1


@pytest.mark.parametrize("seed", range(12))
def test_few_journeys_are_credited_by_whatever_can_be_learnt_from_them(seed, touches):
    random = np.random.default_rng(seed)
    few = touches[touches["journey"].isin(random.choice(400, 1 + seed % 4, replace=False))].copy()
    if seed % 3 == 0:
        few["conversions"], few["value"] = 1, 25.0  # everybody bought: the logistic challenger learns nothing
    won = few.groupby("journey")["conversions"].first().sum()
    alone = credit_group(few)
    alone = alone[alone["campaign"].isna()]
    assert alone.empty == (won == 0)
    handed_out = alone[alone["method"] != "logistic"].groupby("method")["conversions"].sum()
    assert handed_out.to_numpy(dtype=float) == pytest.approx(np.full(len(handed_out), won))
    journeys = few.groupby("journey").agg(path=("channel", SEPARATOR.join), conversions=("conversions", "max"), value=("value", "max"))
    counted = journeys.assign(lost=journeys["conversions"] == 0).groupby("path", as_index=False).sum()
    found = credit_channels(counted)
    assert found.empty == (won == 0)
    if seed % 3 == 0:
        assert set(found["method"]) == set(BY_CHANNEL) - {"logistic"}


def visitors(count, random):
    """Touches of `count` visitors, of whom some come back and buy often: (touches, visitor of each)."""
    names, rows, journey = ("search", "email", "social"), [], 0
    for visitor in range(count):
        likes = names[int(random.integers(3))]
        buys = random.random() ** 2
        for _ in range(int(random.geometric(0.4))):
            journey += 1
            won = int(random.random() < buys)
            for position in range(int(random.integers(1, 4))):
                channel = likes if random.random() < 0.7 else names[int(random.integers(3))]
                rows.append((visitor, journey, position + 1, channel, "none", pd.Timestamp("2026-11-01"), 3.0 - position, won, won * 25.0))
    columns = ["visitor", "journey", "position", "channel", "campaign", "day", "days_before_end", "conversions", "value"]
    return pd.DataFrame(rows, columns=columns)


def group_errors(touches, groups, random):
    """Standard error and sum of conversions by (method, channel), visitors drawn into groups."""
    drawn = random.integers(0, groups, touches["visitor"].max() + 1)[touches["visitor"]]
    parts = pd.concat([credit_group(part).assign(part=drawn[part.index[0]]) for _, part in touches.groupby(drawn)])
    own = parts[parts["method"] != EVENLY].pivot_table(index="part", columns=["method", "channel"], values="conversions", aggfunc="sum")
    wide = own.reindex(range(groups)).fillna(0.0)
    return pd.DataFrame({"error": error(wide.to_numpy()), "whole": wide.sum().to_numpy()}, index=wide.columns)


def test_groups_of_visitors_say_what_drawing_visitors_again_says():
    random = np.random.default_rng(11)
    touches = visitors(1200, random)
    paths = in_order(touches)
    paths = replace(paths, customer=touches.drop_duplicates("journey")["visitor"].to_numpy())
    found = group_errors(touches, 32, random)
    for method, most in (("first", 1.4), ("markov_1", 1.7)):
        drawn = bootstrap(paths, lambda p, m=METHODS[method]: m(p, False), replicates=60)
        ratio = found.loc[method, "error"].reindex(list(paths.channels)).to_numpy() / drawn.error
        assert 0.7 < ratio.mean() < most, (method, ratio)  # 31 degrees of freedom alone: ±22 % in nine of ten


def test_nine_intervals_of_ten_hold_what_all_visitors_together_would_be_credited():
    random = np.random.default_rng(3)
    channels, inside = ("email", "search", "social"), []
    everybody = visitors(1500, random)
    first = everybody[everybody["position"] == 1]
    bought = (
        first.pivot_table(index="visitor", columns="channel", values="conversions", aggfunc="sum").reindex(columns=channels).fillna(0.0)
    )
    for _ in range(300):
        sample = bought.to_numpy()[random.integers(0, len(bought), 1000)]
        groups = random.integers(0, 32, 1000)
        parts = np.stack([np.bincount(groups, sample[:, i], 32) for i in range(3)], axis=1)
        off = np.abs(parts.sum(axis=0) - 1000 * bought.to_numpy().mean(axis=0))
        inside.append(off <= reach(32) * error(parts))
    assert np.mean(inside) == pytest.approx(0.9, abs=0.03)


def test_one_group_has_no_interval():
    with pytest.raises(UnfitData, match="give at least 2"):
        reach(1)
