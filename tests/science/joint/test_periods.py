"""A month's one answer from rows of evidence, as the tables hold them."""

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.joint.periods import ANSWERS, one_answer

ROWS = [
    ("media mix", "", "search", 1000.0, 0.5, 1.0),
    ("media mix", "", "social", 400.0, 0.5, 1.0),
    ("experiment", "search off", "search", 2000.0, 100.0, 1.0),
    ("experiment", "newsletter", "email", 300.0, 60.0, 1.0),
    ("attribution", "", "search", 3000.0, 0.05, 0.9),
    ("attribution", "", "social", 700.0, 0.05, 0.9),
    ("attribution", "", "direct", 900.0, 0.05, 0.9),
    ("sales", "", "", 20_000.0, 0.0, 1.0),
]
EVIDENCE = pd.DataFrame(ROWS, columns=["source", "name", "channel", "effect", "error", "seen"])


def test_a_channel_is_moved_by_its_experiment_and_told_so():
    found = one_answer(EVIDENCE).set_index("channel")
    assert list(found.index) == ["search", "social", "email"]
    search = found.loc["search"]
    assert search["effect"] == pytest.approx(2000, rel=0.1)
    assert search["moved_by_experiments"] > 300
    assert search["high"] / search["low"] < search["media_mix_high"] / search["media_mix_low"]
    assert search["evidence"] == "media mix, experiment search off, attribution"
    assert found.loc["social", "evidence"] == "media mix, attribution"
    assert found.loc["social", "moved_by_attribution"] != 0


def test_a_channel_without_spend_is_known_by_its_experiment_alone():
    email = one_answer(EVIDENCE).set_index("channel").loc["email"]
    assert email["evidence"] == "experiment newsletter"
    assert np.isnan(email["media_mix"])
    assert email["low"] < 300 < email["high"]
    assert email["effect"] == pytest.approx(300, rel=0.15)


def test_without_a_media_mix_there_is_no_answer_yet():
    nothing = one_answer(EVIDENCE[EVIDENCE["source"] != "media mix"])
    assert nothing.empty
    assert list(nothing.columns) == list(ANSWERS)
