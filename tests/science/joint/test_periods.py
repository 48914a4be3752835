"""A month's one answer from rows of evidence, as the tables hold them."""

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.joint.periods import ANSWERS, one_answer

COLUMNS = ["source", "name", "channel", "place", "effect", "error", "seen", "count"]
ROWS = [
    ("media mix", "", "search", "", 1000.0, 0.5, 1.0, 0),
    ("media mix", "", "social", "", 400.0, 0.5, 1.0, 0),
    ("experiment", "search off", "search", "", 2000.0, 100.0, 1.0, 0),
    ("experiment", "newsletter", "email", "", 300.0, 60.0, 1.0, 0),
    ("attribution", "", "search", "", 3000.0, 0.05, 0.9, 0),
    ("attribution", "", "social", "", 700.0, 0.05, 0.9, 0),
    ("attribution", "", "direct", "", 900.0, 0.05, 0.9, 0),
    ("experiment in places", "posters", "outdoor", "DE: Berlin", 250.0, 50.0, 1.0, 0.5),
    ("experiment in places", "posters", "outdoor", "DE: Köln", 250.0, 50.0, 1.0, 0.5),
    ("sales", "", "", "DE: Berlin", 5_000.0, 0.0, 1.0, 50),
    ("sales", "", "", "DE: Köln", 3_000.0, 0.0, 1.0, 30),
    ("sales", "", "", "FR", 12_000.0, 0.0, 1.0, 120),
    ("sales", "", "search", "DE: Berlin", 600.0, 0.0, 1.0, 60),
    ("sales", "", "search", "FR", 6_000.0, 0.0, 1.0, 600),
]
EVIDENCE = pd.DataFrame(ROWS, columns=COLUMNS)


@pytest.fixture(scope="module")
def found():
    return one_answer(EVIDENCE).set_index(["geography", "channel"])


def test_a_channel_is_moved_by_its_experiment_and_told_so(found):
    assert list(found.loc["all"].index) == ["search", "social", "email", "outdoor"]
    search = found.loc["all", "search"]
    assert search["effect"] == pytest.approx(2000, rel=0.1)
    assert search["moved_by_experiments"] > 300
    assert search["high"] / search["low"] < search["media_mix_high"] / search["media_mix_low"]
    assert search["evidence"] == "media mix, experiment search off, attribution"
    assert found.loc[("all", "social"), "evidence"] == "media mix, attribution"
    assert found.loc[("all", "social"), "moved_by_attribution"] != 0


def test_a_channel_without_spend_is_known_by_its_experiment_alone(found):
    email = found.loc["all", "email"]
    assert email["evidence"] == "experiment newsletter"
    assert np.isnan(email["media_mix"])
    assert email["low"] < 300 < email["high"]
    assert email["effect"] == pytest.approx(300, rel=0.15)


def test_places_add_up_to_the_whole_lie_where_sales_are_and_are_less_sure(found):
    whole, places = found.loc["all"], found.drop(index="all", level="geography")
    assert places.groupby("channel")["effect"].sum().to_dict() == pytest.approx(whole["effect"].to_dict())
    assert ((places["low"] <= places["effect"]) & (places["effect"] <= places["high"])).all()
    width = np.log(places["high"] / places["low"]).groupby("channel").min() / np.log(whole["high"] / whole["low"])
    assert (width.drop("outdoor") > 1.05).all()
    search = places.xs("search", level="channel")["effect"] / whole.loc["search", "effect"]
    assert search["FR"] > 0.8 > search["DE: Berlin"] > search["DE: Köln"] > 0
    assert found.loc[("FR", "search"), "evidence"] == "media mix, experiment search off, attribution, shares of sales by place"


def test_a_campaign_in_some_towns_is_evidence_there_and_nowhere_else(found):
    outdoor = found.xs("outdoor", level="channel")
    assert set(outdoor.index) == {"all", "DE: Berlin", "DE: Köln"}
    assert outdoor.loc["all", "low"] < 250 < outdoor.loc["all", "high"]
    assert outdoor.loc["all", "effect"] == pytest.approx(250, rel=0.25)
    assert outdoor.loc["DE: Berlin", "evidence"] == "experiment posters here, shares of sales by place"


def test_without_a_media_mix_there_is_no_answer_yet():
    nothing = one_answer(EVIDENCE[EVIDENCE["source"] != "media mix"])
    assert nothing.empty
    assert list(nothing.columns) == list(ANSWERS)
