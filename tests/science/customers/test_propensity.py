"""Propensity: what a fitted, calibrated, evaluated probability promises."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.propensity import (
    CalibratedLogistic,
    UnfitData,
    evaluate,
    fit_calibrated_logistic,
    reliability,
    split_by_time,
)
from lakehouse.science.propensity.newton import newton_logistic, sigmoid


def customers(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """A small world: purchases depend on the logarithm of past orders, on recency and on the channel."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "orders": draw.geometric(0.2, rows) - 1,
            "recency_days": draw.gamma(1.2, 60, rows),
            "channel": draw.choice(["mail", "search", "social"], rows),
            "newsletter": draw.random(rows) < 0.4,
        }
    )
    log_odds = (
        -1.2 + 0.9 * np.log1p(frame.orders) - 0.5 * np.log1p(frame.recency_days) + 0.6 * (frame.channel == "mail") + 0.4 * frame.newsletter
    )
    truth = sigmoid(log_odds.to_numpy(dtype=float))
    return frame, (draw.random(rows) < truth).astype(int), truth


@pytest.fixture(scope="module")
def fitted() -> tuple[CalibratedLogistic, pd.DataFrame, np.ndarray]:
    frame, label, _ = customers(6000, 1)
    return fit_calibrated_logistic(frame, label), frame, label


def test_probabilities_of_a_known_world_rank_as_well_as_the_truth_and_mean_what_they_say(fitted):
    model, _, _ = fitted
    frame, label, truth = customers(20_000, 2)
    found, best = evaluate(model.probability(frame), label), evaluate(truth, label)
    assert found.auc > best.auc - 0.003
    assert 0.93 < found.calibration_slope < 1.07
    assert abs(found.calibration_intercept) < 0.1
    assert found.brier < best.brier + 0.001


def test_the_order_of_rows_changes_no_bit_of_the_model(fitted):
    model, frame, label = fitted
    shuffled = np.random.default_rng(9).permutation(len(frame))
    again = fit_calibrated_logistic(frame.iloc[shuffled], label[shuffled])
    assert again.to_json() == model.to_json()


def test_a_model_written_as_json_scores_the_same(fitted):
    model, frame, _ = fitted
    again = CalibratedLogistic.from_json(model.to_json())
    assert again == model
    assert np.array_equal(again.probability(frame), model.probability(frame))


def test_the_fit_equals_that_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    frame, label, _ = customers(1500, 3)
    model = fit_calibrated_logistic(frame, label, penalty=2.0)
    x = model.encoding.matrix(frame)
    theirs = LogisticRegression(C=0.5, tol=1e-10, max_iter=2000).fit(x, label)
    assert np.allclose(model.coefficients, theirs.coef_[0], atol=1e-5)
    assert model.intercept == pytest.approx(theirs.intercept_[0], abs=1e-5)


def test_noise_gives_everyone_the_base_rate_or_close_to_it():
    draw = np.random.default_rng(5)
    frame = pd.DataFrame(draw.normal(size=(400, 40)), columns=[f"n{i}" for i in range(40)])
    label = (draw.random(400) < 0.2).astype(int)
    spread = np.std(fit_calibrated_logistic(frame, label).probability(frame))
    assert spread < 0.05


def test_overfitting_is_shrunk_so_that_new_rows_are_calibrated():
    raw, calibrated = [], []
    for seed in range(4):
        draw = np.random.default_rng(seed)
        frame = pd.DataFrame(draw.normal(size=(4200, 60)), columns=[f"n{i}" for i in range(60)])
        label = (draw.random(4200) < sigmoid(frame.n0.to_numpy() - 1)).astype(int)
        old, new = slice(0, 1200), slice(1200, None)
        model = fit_calibrated_logistic(frame[old], label[old], penalty=0.1)
        raw.append(evaluate(sigmoid(model.raw_log_odds(frame[new])), label[new]))
        calibrated.append(evaluate(model.probability(frame[new]), label[new]))
    assert np.mean([one.calibration_slope for one in raw]) < 0.75
    assert 0.9 < np.mean([one.calibration_slope for one in calibrated]) < 1.1
    assert np.mean([one.brier for one in calibrated]) < np.mean([one.brier for one in raw])
    assert all(ours.auc == pytest.approx(theirs.auc) for ours, theirs in zip(calibrated, raw, strict=True))


def test_missing_values_decimals_flags_and_unseen_texts_are_scored():
    frame, label, _ = customers(800, 7)
    frame = frame.assign(spend=[Decimal(i % 90) for i in range(800)])
    frame["recency_days"] = frame["recency_days"].mask(frame.orders == 0)
    model = fit_calibrated_logistic(frame, label, hinges=["recency_days"])
    assert "recency_days is missing" in model.encoding.columns
    assert sum(name.startswith("recency_days > ") for name in model.encoding.columns) == 3
    new = frame.head(5).assign(channel=["mail", "fax", None, "search", "social"])
    assert np.isfinite(model.probability(new)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": np.zeros(100)}, "rows of both 0 and 1"),
        ({"label": np.full(100, 2)}, "only 0 and 1"),
        ({"features": pd.DataFrame({"id": [f"c{i}" for i in range(100)]})}, "leave identifiers out"),
        (
            {"features": pd.DataFrame({"at": pd.date_range("2026-01-01", periods=100)})},
            "days before the scoring",
        ),
        ({"features": pd.DataFrame({"x": [1.0] * 99})}, "give one per row"),
        ({"penalty": -1.0}, "penalty ≥ 0"),
        ({"log1p": ["y"]}, "'y' is no feature; valid: ['x']"),
    ],
)
def test_unfit_input_is_refused_with_its_repair(change, message):
    given = {"features": pd.DataFrame({"x": np.arange(100.0)}), "label": np.arange(100) % 2, **change}
    with pytest.raises(UnfitData, match=message.replace("[", r"\[").replace("]", r"\]")):
        fit_calibrated_logistic(given.pop("features"), given.pop("label"), **given)


def test_a_column_missing_at_scoring_is_named(fitted):
    model, frame, _ = fitted
    with pytest.raises(UnfitData, match="'channel' is not among"):
        model.probability(frame.drop(columns="channel"))


def test_the_figures_equal_those_of_scikit_learn_also_with_ties():
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    draw = np.random.default_rng(4)
    p = draw.integers(1, 12, 500) / 13
    y = (draw.random(500) < p**2).astype(int)
    got = evaluate(p, y)
    assert got.auc == pytest.approx(roc_auc_score(y, p), abs=1e-12)
    assert got.pr_auc == pytest.approx(average_precision_score(y, p), abs=1e-12)
    assert got.brier == pytest.approx(brier_score_loss(y, p), abs=1e-12)
    assert got.log_loss == pytest.approx(log_loss(y, p), abs=1e-12)
    line = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(np.log(p / (1 - p))[:, None], y)
    assert got.calibration_slope == pytest.approx(line.coef_[0, 0], abs=1e-4)


def test_the_standard_error_of_the_auc_is_the_spread_over_repeated_samples():
    draw = np.random.default_rng(6)
    found = []
    for _ in range(300):
        y = np.repeat([0, 1], [120, 60])
        found.append(evaluate(sigmoid(draw.normal(y * 1.0, 1.0)), y))
    spread = np.std([one.auc for one in found])
    assert np.mean([one.auc_standard_error for one in found]) == pytest.approx(spread, rel=0.1)


def test_probabilities_twice_too_extreme_have_slope_one_half_and_too_high_ones_a_negative_intercept():
    draw = np.random.default_rng(8)
    log_odds = draw.normal(-1, 1, 40_000)
    y = (draw.random(40_000) < sigmoid(log_odds)).astype(int)
    assert evaluate(sigmoid(log_odds), y).calibration_slope == pytest.approx(1, abs=0.03)
    assert evaluate(sigmoid(2 * log_odds), y).calibration_slope == pytest.approx(0.5, abs=0.015)
    assert evaluate(sigmoid(log_odds + 0.7), y).calibration_intercept == pytest.approx(-0.7, abs=0.03)
    assert evaluate(sigmoid(log_odds), y).is_calibrated()
    assert not evaluate(sigmoid(2 * log_odds), y).is_calibrated()


def test_a_constant_probability_has_no_slope_and_a_perfect_ranking_an_infinite_one():
    y = np.array([0, 0, 1, 0, 1])
    assert np.isnan(evaluate(np.full(5, 0.4), y).calibration_slope)
    assert evaluate(np.full(5, 0.4), y).auc == 0.5
    assert evaluate([0.1, 0.2, 0.8, 0.3, 0.9], y).calibration_slope == np.inf


def test_reliability_covers_the_truth_in_nearly_every_group():
    draw = np.random.default_rng(12)
    p = draw.beta(2, 5, 20_000)
    table = reliability(p, draw.random(20_000) < p, 20)
    assert table.rows.sum() == 20_000
    assert ((table.low < table.mean_probability) & (table.mean_probability < table.high)).sum() >= 17


def test_equal_probabilities_are_never_divided_by_what_happened():
    table = reliability(np.repeat([0.1, 0.4], 50), np.tile([0, 1], 50), 10)
    assert table.rows.tolist() == [50, 50]
    assert table.rate.tolist() == [0.5, 0.5]


def test_no_training_label_was_known_only_after_the_boundary():
    at = pd.Series(pd.date_range("2026-01-01", periods=90).repeat(3))
    split = split_by_time(at, boundary="2026-03-01", horizon="30D")
    assert at[split.train].max() + pd.Timedelta("30D") <= pd.Timestamp("2026-03-01")
    assert at[split.later].min() == pd.Timestamp("2026-03-01")
    assert split.left_out == 29 * 3


def test_a_share_never_divides_rows_of_one_time():
    at = pd.Series(pd.to_datetime(["2026-01-01"] * 5 + ["2026-02-01"] * 3 + ["2026-03-01"] * 2))
    split = split_by_time(at, later_share=0.45)
    assert split.boundary == pd.Timestamp("2026-03-01")
    assert split.later.sum() == 2


def test_a_boundary_outside_the_data_is_refused():
    at = pd.Series(pd.date_range("2026-01-01", periods=9))
    with pytest.raises(UnfitData, match="times reach from 2026-01-01"):
        split_by_time(at, boundary="2027-01-01")


def test_repeated_columns_without_penalty_are_refused():
    x = np.column_stack([np.ones(50), np.arange(50.0), np.arange(50.0)])
    with pytest.raises(UnfitData):
        newton_logistic(x, (np.arange(50) % 3 == 0).astype(float), np.zeros(3))
