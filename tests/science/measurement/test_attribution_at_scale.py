"""What is credited part by part, and from counted paths, is what is credited on all journeys at once."""

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.attribution.at_scale import BY_CHANNEL, EVENLY, SEPARATOR, credit_channels, credit_touches, in_order
from lakehouse.science.attribution.breakdown import break_down
from lakehouse.science.attribution.rules import RULES


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
