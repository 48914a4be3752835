"""Drift between training and scoring, and whether a challenger may replace the champion."""

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.propensity.challengers import fit_boosting
from lakehouse.science.propensity.drift import drift, stability_index
from lakehouse.science.propensity.explanations import contributions, sampled_contributions
from lakehouse.science.propensity.logistic import fit_calibrated_logistic
from lakehouse.science.propensity.promotion import gain
from lakehouse.science.unfit import UnfitData


def people(n: int, seed: int, shift: float = 0.0, german: float = 0.6) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"spend": draw.normal(shift, 1, n), "orders": draw.poisson(1.0, n)})
    frame["country"] = np.where(draw.random(n) < german, "DE", "AT")
    frame.loc[draw.random(n) < 0.1, "spend"] = np.nan
    return frame


def test_the_index_is_that_of_the_formula():
    assert stability_index(np.array([49.5, 49.5]), np.array([24.5, 74.5])) == pytest.approx(0.25 * np.log(3), rel=0.02)


def test_the_same_kind_of_people_is_stable_and_another_kind_is_named():
    assert set(drift(people(3000, 1), people(2000, 2))["verdict"]) == {"stable"}
    moved = drift(people(3000, 1), people(2000, 3, shift=0.8, german=0.3))
    assert moved.loc["spend", "verdict"] == moved.loc["country", "verdict"] == "drifted"
    assert moved.loc["orders", "verdict"] == "stable"


def test_few_rows_alone_are_no_drift():
    wrong = sum((drift(people(400, s), people(60, 1000 + s))["verdict"] != "stable").any() for s in range(60))
    assert wrong <= 3


def test_a_value_never_seen_in_training_and_more_gaps_are_drift():
    now = people(2000, 5)
    now["country"] = "FR"
    now.loc[:1200, "spend"] = np.nan
    found = drift(people(3000, 1), now)
    assert found.loc["country", "verdict"] == found.loc["spend", "verdict"] == "drifted"
    with pytest.raises(UnfitData, match="missing in scoring: \\['country'\\]"):
        drift(people(100, 1), now.drop(columns="country"))


def test_a_customer_seen_many_times_is_one_witness():
    draw = np.random.default_rng(2)
    owners = np.repeat(np.arange(100), 20)
    old = np.repeat(draw.normal(1, 0.3, 100), 20)
    new = old - np.repeat(draw.normal(0.02, 0.2, 100), 20)
    alone, together = gain(old, new), gain(old, new, owners)
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_promotion_needs_the_whole_interval_above_the_margin():
    draw = np.random.default_rng(3)
    old = draw.gamma(2, 0.1, 2000)
    better = gain(old, 0.9 * old + draw.normal(0, 0.01, 2000))
    assert better.beats(0.05) and not better.beats(0.15) and not better.loses()
    few = old[:300]
    same = [gain(few, few + np.random.default_rng(s).normal(0, 0.1, 300), draws=200, seed=s).beats(0.0) for s in range(100)]
    assert sum(same) <= 8  # an equal challenger: 2.5 % by chance
    assert gain(old, 1.1 * old).loses()
    with pytest.raises(UnfitData, match="30 at least"):
        gain([1.0] * 40, [1.0] * 40, np.arange(40) % 5)


def test_sampled_explanations_of_a_line_are_the_exact_ones_and_add_up_for_any_model():
    draw = np.random.default_rng(5)
    frame = pd.DataFrame({"a": draw.normal(size=600), "b": draw.normal(size=600), "kind": draw.choice(["x", "y"], 600)})
    label = (draw.random(600) < 1 / (1 + np.exp(-frame.a - (frame.kind == "x")))).astype(int)
    line = fit_calibrated_logistic(frame, label)
    found = sampled_contributions(line.log_odds, frame.head(20), frame.iloc[100:130], rounds=1)
    exact = contributions(line, frame.head(20)) - contributions(line, frame.iloc[100:130]).mean()
    assert np.allclose(found, exact, atol=1e-10)
    trees = fit_boosting(frame, label)
    found = sampled_contributions(trees.log_odds, frame.head(10), frame.iloc[100:110], rounds=1)
    assert np.allclose(found.sum(axis=1), trees.log_odds(frame.head(10)) - trees.log_odds(frame.iloc[100:110]).mean())


def test_sampled_explanations_of_trees_agree_with_shap():
    import shap

    draw = np.random.default_rng(6)
    frame = pd.DataFrame(draw.normal(size=(500, 4)), columns=list("abcd"))
    label = (draw.random(500) < 1 / (1 + np.exp(-2 * frame.a * frame.b - frame.c))).astype(int)
    trees = fit_boosting(frame, label)
    inner = trees.members[0]
    background, rows = frame.iloc[:20], frame.iloc[100:125]
    found = sampled_contributions(trees.log_odds, rows, background, rounds=4)
    x = trees.encoding.matrix(background)
    explained = shap.TreeExplainer(inner, x, feature_perturbation="interventional", model_output="raw").shap_values(
        trees.encoding.matrix(rows), check_additivity=False
    )
    assert np.corrcoef(found.to_numpy().ravel(), trees.calibration_slope * np.asarray(explained).ravel())[0, 1] > 0.99
