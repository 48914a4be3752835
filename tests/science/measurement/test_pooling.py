import numpy as np
import pandas as pd
import pytest

from lakehouse.science.pooling.answer import pool_each, read_cells
from lakehouse.science.pooling.bayes import believe
from lakehouse.science.pooling.random_effects import log_risk_ratio, pool, reml
from lakehouse.science.pooling.report import in_words, pooling_report
from lakehouse.science.pooling.small_studies import egger, selection, trim_and_fill
from lakehouse.science.pooling.studies import cells_ratio, combine_cells, describe, forest, require_enough, shared_control


@pytest.fixture(scope="module")
def bcg(shared_data):
    rows = pd.read_csv(shared_data / "bcg_meta_analysis" / "dat.bcg.txt", sep=r"\s+")
    return log_risk_ratio(*(rows[c].to_numpy(dtype=float) for c in ("tpos", "tneg", "cpos", "cneg")))


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("method", "mean", "error", "tau2"),
    [
        ("dersimonian_laird", -0.7141, 0.1787, 0.3088),
        ("reml", -0.7145, 0.1798, 0.3132),
        ("fixed", -0.4303, 0.0405, 0.0),
    ],
)
def test_bcg_vaccine_trials(bcg, method, mean, error, tau2):
    # bcg_meta_analysis/README.md, after metafor
    found = pool(*bcg, method)
    assert (found.mean, found.error, found.tau2) == pytest.approx((mean, error, tau2), abs=0.00006)


@pytest.mark.shared_data
def test_bcg_trials_differ_in_truth(bcg):
    found = pool(*bcg, "dersimonian_laird")
    assert found.q == pytest.approx(152.23, abs=0.005)
    assert found.i2 == pytest.approx(0.921, abs=0.0005)
    assert found.next_low < found.low < found.mean < found.high < found.next_high


@pytest.mark.shared_data
def test_reml_is_where_the_restricted_likelihood_is_highest(bcg):
    y, v = bcg

    def likelihood(tau2):
        w = 1 / (v + tau2)
        mean = (w * y).sum() / w.sum()
        return 0.5 * (np.log(w).sum() - np.log(w.sum()) - (w * (y - mean) ** 2).sum())

    best = reml(y, v)
    assert likelihood(best) >= max(likelihood(best + step) for step in (-0.01, -1e-4, 1e-4, 0.01))


@pytest.mark.shared_data
def test_small_bcg_trials_tell_no_clearly_different_story(bcg):
    found = egger(*bcg)
    assert found.p_value > 0.1
    filled = trim_and_fill(*bcg)
    assert (filled.missing, filled.side) == (1, "high")
    assert selection(*bcg, positive=False).p_value > 0.1


def test_intervals_of_few_studies_cover_only_when_adjusted():
    draw = np.random.default_rng(1)
    covered = {False: 0, True: 0}
    for _ in range(400):
        v = draw.uniform(0.02, 0.2, 6)
        y = 0.5 + draw.normal(0, 0.4, 6) + draw.normal(0, np.sqrt(v))
        for adjusted in covered:
            found = pool(y, v, adjusted=adjusted)
            covered[adjusted] += found.low <= 0.5 <= found.high
    assert covered[True] / 400 == pytest.approx(0.9, abs=0.03)
    assert covered[False] < covered[True]


def test_a_further_study_falls_into_the_prediction_interval():
    draw = np.random.default_rng(2)
    inside = 0
    for _ in range(400):
        v = draw.uniform(0.01, 0.05, 15)
        true = draw.normal(0.2, 0.3, 16)
        found = pool(true[:15] + draw.normal(0, np.sqrt(v)), v)
        inside += found.next_low <= true[15] <= found.next_high
    assert inside / 400 == pytest.approx(0.9, abs=0.04)


def test_studies_left_in_the_drawer_are_noticed_and_allowed_for():
    draw = np.random.default_rng(3)
    v = draw.uniform(0.005, 0.15, 600)
    y = 0.1 + draw.normal(0, 0.1, 600) + draw.normal(0, np.sqrt(v))
    shown = (y / np.sqrt(v) > 1.96) | (draw.random(600) < 0.15)
    found = selection(y[shown], v[shown])
    assert found.p_value < 0.001
    assert found.chance == pytest.approx(0.15, abs=0.1)
    assert abs(found.mean - 0.1) < 0.5 * abs(pool(y[shown], v[shown]).mean - 0.1)
    assert egger(y[shown], v[shown]).p_value < 0.01


def test_an_even_funnel_gets_nothing_filled_in():
    draw = np.random.default_rng(4)
    v = draw.uniform(0.01, 0.2, 60)
    assert trim_and_fill(draw.normal(0.3, np.sqrt(v)), v).missing <= 12
    assert selection(draw.normal(0.3, np.sqrt(v)), v).p_value > 0.01


def test_too_few_studies_are_refused_and_the_missing_ones_counted():
    with pytest.raises(ValueError, match="7 lift studies: pooling asks for 10, 3 are missing"):
        require_enough("lift", 7)
    with pytest.raises(ValueError, match="2 are missing"):
        require_enough("ab", 13)
    require_enough("lift", 10)
    require_enough("ab", 15)


def test_cells_with_one_control_count_as_one_study():
    covariance = shared_control(np.array([0.04, 0.04]), control_variance=0.04)
    effect, variance = combine_cells(np.array([0.2, 0.4]), covariance)
    assert effect == pytest.approx(0.3)
    assert variance == pytest.approx(0.04 / 2 + 0.04)


def test_a_forest_ends_with_the_mean_and_the_next_study():
    effects, variances = np.array([0.1, 0.3, 0.2]), np.array([0.01, 0.02, 0.03])
    rows = forest(["a", "b", "c"], effects, variances, pool(effects, variances))
    assert rows["kind"].tolist() == ["study"] * 3 + ["mean", "prediction"]
    assert rows["weight"].head(3).sum() == pytest.approx(1)
    assert describe(effects)["median"] == pytest.approx(0.2)


def test_a_test_of_shares_with_several_cells_counts_once_and_with_one_cell_is_the_risk_ratio():
    one = cells_ratio((80.0, 1000.0), np.array([100.0]), np.array([1000.0]))
    plain = log_risk_ratio(*(np.array([v]) for v in (100.0, 900.0, 80.0, 920.0)))
    assert one == pytest.approx((plain[0][0], plain[1][0]))
    two = cells_ratio((80.0, 1000.0), np.array([100.0, 100.0]), np.array([1000.0, 1000.0]))
    assert two[0] == pytest.approx(one[0])
    assert 1 / 80 - 1 / 1000 < two[1] < one[1]  # the control's own noise stays
    assert np.isfinite(cells_ratio((0.0, 1000.0), np.array([5.0]), np.array([1000.0]))).all()
    with pytest.raises(ValueError, match="one event at least"):
        cells_ratio((0.0, 10.0), np.array([0.0]), np.array([10.0]))
    arms = pd.DataFrame(
        {"experiment": "offer", "kpi": "clicked", "control": 0.08, "treatment": [0.1, 0.1], "control_units": 1000, "arm_units": 1000}
    )
    assert read_cells(arms)[["effect", "error", "cells", "units"]].to_numpy()[0] == pytest.approx([two[0], np.sqrt(two[1]), 2, 3000])
    assert read_cells(arms.assign(control=0.0, treatment=0.0)).empty


def test_what_is_enough_is_pooled_said_in_words_and_drawn_and_of_the_rest_what_is_missing():
    draw = np.random.default_rng(6)
    error = draw.uniform(0.03, 0.12, 16)
    clicked = pd.DataFrame({"kind": "ab", "measure": "clicked", "study": [f"mail {n:02}" for n in range(16)], "error": error})
    clicked["effect"] = 0.1 + draw.normal(0, 0.05, 16) + draw.normal(0, error)
    towns = clicked.head(4).assign(kind="lift", measure="shop sales")
    open_end = clicked.head(1).assign(study="open", error=np.nan)
    together, lacking = pool_each(pd.concat([clicked, towns, open_end]))
    assert lacking == ["shop sales: 4 lift studies: pooling asks for 10, 6 are missing. Run more tests, or show the studies one by one."]
    (found,) = together
    alone = believe(clicked["effect"].to_numpy(), clicked["error"].to_numpy() ** 2)
    assert (found.believed.mean, found.believed.next_high) == (alone.mean, alone.next_high)
    assert found.forest.tail(2)[["effect", "low"]].to_numpy().tolist() == [[alone.mean, alone.low], [alone.mean, alone.next_low]]
    page = pooling_report(together, lacking, open_end[["measure", "effect"]])
    assert f"on average treatment changes it by {np.expm1(alone.mean):+.1%}" in in_words(found)
    assert "mail 15" in page and "6 are missing" in page and "A further study" in page and "quartile" in page
    assert pool_each(clicked.head(0))[1][0].startswith("any measure: 0 lift studies: pooling asks for 10, 10 are missing")
