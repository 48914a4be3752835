"""Propensity on real data, rare classes, thresholds, reasons: figures on rows the model never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.propensity import UnfitData, evaluate, fit_calibrated_logistic
from lakehouse.science.propensity.challengers import fit_boosting, fit_network
from lakehouse.science.propensity.cross_validation import brier_gain, cross_validate, stratified_folds
from lakehouse.science.propensity.explanations import base_log_odds, contributions, importance, reasons
from lakehouse.science.propensity.imbalance import compare_remedies, logistic_learner, rebalanced
from lakehouse.science.propensity.newton import sigmoid
from lakehouse.science.propensity.threshold import Costs, cheapest_threshold, mean_cost, threshold_by_cost


def telco(data: Path) -> tuple[pd.DataFrame, np.ndarray]:
    frame = pd.read_csv(data / "telco_churn/Telco-Customer-Churn.csv")
    label = (frame.Churn == "Yes").to_numpy(dtype=int)
    frame["TotalCharges"] = pd.to_numeric(frame.TotalCharges, errors="coerce")
    return frame.drop(columns=["customerID", "Churn"]), label


def marketing_campaign(data: Path) -> tuple[pd.DataFrame, np.ndarray]:
    raw = pd.read_csv(data / "marketing_campaign/marketing_campaign.csv", sep=";", encoding="utf-8-sig")
    frame = raw.drop(columns=["ID", "Response", "Z_CostContact", "Z_Revenue", "Dt_Customer"])
    spend = raw.filter(like="Mnt").sum(axis=1)
    purchases = raw[["NumWebPurchases", "NumCatalogPurchases", "NumStorePurchases"]].sum(axis=1)
    frame["Marital_Status"] = raw.Marital_Status.where(~raw.Marital_Status.isin(["Absurd", "YOLO", "Alone"]), "Single")
    frame["tenure_days"] = (pd.Timestamp("2014-06-30") - pd.to_datetime(raw.Dt_Customer)).dt.days
    frame["accepted"] = raw.filter(like="Accepted").sum(axis=1)
    frame["accepted_any"] = frame.accepted > 0
    frame["children"] = raw.Kidhome + raw.Teenhome
    frame["spend"], frame["purchases"], frame["spend_each"] = spend, purchases, spend / (purchases + 1)
    frame["meat_share"] = raw.MntMeatProducts / (spend + 1)
    return frame, raw.Response.to_numpy()


def test_telco_churn_reaches_an_auc_of_840_and_is_no_worse_than_plain_logistic(shared_data):
    """Issue: AUC ≥ .840 in repeated cross-validation; plain logistic .845 (README of the data set)."""
    from sklearn.linear_model import LogisticRegression

    class Plain:
        def __init__(self, frame: pd.DataFrame, label: np.ndarray) -> None:
            self.encoding = fit_calibrated_logistic(frame, label, log1p=(), folds=2).encoding
            self.model = LogisticRegression(max_iter=500).fit(self.encoding.matrix(frame), label)

        def probability(self, frame: pd.DataFrame) -> np.ndarray:
            return self.model.predict_proba(self.encoding.matrix(frame))[:, 1]

    frame, label = telco(shared_data)
    curved = ["tenure", "MonthlyCharges", "TotalCharges"]
    ours = cross_validate(lambda x, y: fit_calibrated_logistic(x, y, hinges=curved, folds=2), frame, label, repeats=2)
    plain = cross_validate(Plain, frame, label)
    assert ours.auc >= 0.840
    assert ours.auc >= plain.auc
    assert plain.auc == pytest.approx(0.845, abs=0.002)
    assert brier_gain(plain.probabilities[0], ours.probabilities[0], label)[1] > 0
    assert all(one.is_calibrated() for one in ours.evaluations)


def test_response_to_the_marketing_campaign_reaches_an_auc_of_900(shared_data):
    """Issue: ≥ .90; README of the data set: plain logistic .899, boosting .909."""
    frame, label = marketing_campaign(shared_data)
    ours = cross_validate(lambda x, y: fit_calibrated_logistic(x, y, folds=2), frame, label, repeats=2)
    assert ours.auc >= 0.90
    assert all(one.is_calibrated() for one in ours.evaluations)


def test_no_remedy_for_the_rarer_class_is_promotable_on_real_data(shared_data):
    for frame, label in (telco(shared_data), marketing_campaign(shared_data)):
        table = compare_remedies(frame, label)
        assert table.index[0] == "untouched"
        assert table.promotable.tolist() == [True, False, False, False]
        assert table.auc.max() - table.auc["untouched"] < 0.005
        assert (table.brier[1:] > 1.2 * table.brier["untouched"]).all()


def small_world(rows: int = 900, seed: int = 3) -> tuple[pd.DataFrame, np.ndarray]:
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": draw.normal(size=rows), "b": draw.gamma(1, 3, rows), "c": draw.choice(["x", "y"], rows)})
    log_odds = -2.2 + 0.8 * frame.a + 0.5 * np.log1p(frame.b) + 0.5 * (frame.c == "x")
    return frame, (draw.random(rows) < sigmoid(log_odds.to_numpy())).astype(int)


def test_rows_are_rebalanced_in_training_folds_only_and_every_row_is_judged_once_as_it_came():
    frame, label = small_world()
    judged, trained = [], []

    def spy(x, y, weights):
        trained.append((len(x), y.mean()))
        predict = logistic_learner(x, y, weights)

        def counted(new):
            judged.append(len(new))
            return predict(new)

        return counted

    compare_remedies(frame, label, remedies=["smote"], learner=spy)
    assert sum(judged[:5]) == sum(judged[5:]) == 900
    assert [rows for rows, _ in trained[:5]] == [900 - held for held in judged[:5]]
    assert all(rate == 0.5 for _, rate in trained[5:])


def test_new_rows_of_smote_lie_between_rows_of_the_rarer_class():
    draw = np.random.default_rng(1)
    x = np.vstack([draw.normal(size=(80, 2)), draw.uniform(10, 11, size=(20, 2))])
    y = np.repeat([0.0, 1.0], [80, 20])
    more, label, _ = rebalanced(x, y, "smote", np.random.default_rng(2))
    assert label.sum() == 80
    assert more[100:].min() >= 10 and more[100:].max() <= 11
    fewer, label, _ = rebalanced(x, y, "undersample", np.random.default_rng(2))
    assert (len(fewer), label.mean()) == (40, 0.5)
    assert rebalanced(x, y, "weights", draw)[2] @ y == pytest.approx(50)
    with pytest.raises(UnfitData, match="valid: untouched, weights, undersample, smote"):
        rebalanced(x, y, "oversample", draw)


def test_folds_hold_both_classes_evenly_and_come_from_the_seed():
    label = np.repeat([0, 1], [83, 17])
    fold = stratified_folds(label, 5, 1)
    assert np.ptp([label[fold == k].sum() for k in range(5)]) <= 1
    assert np.array_equal(fold, stratified_folds(label, 5, 1))
    assert not np.array_equal(fold, stratified_folds(label, 5, 2))


def test_challengers_find_what_a_line_cannot_and_are_calibrated():
    draw = np.random.default_rng(5)
    frame = pd.DataFrame({"a": draw.uniform(-1, 1, 3000), "b": draw.uniform(-1, 1, 3000)})
    label = (draw.random(3000) < np.where(frame.a * frame.b > 0, 0.7, 0.2)).astype(int)
    new, truth = frame[1500:], label[1500:]
    line = evaluate(fit_calibrated_logistic(frame[:1500], label[:1500]).probability(new), truth)
    for fit in (fit_boosting, fit_network):
        found = evaluate(fit(frame[:1500], label[:1500]).probability(new), truth)
        assert found.auc > line.auc + 0.15
        assert found.is_calibrated(slope=(0.8, 1.25))


def test_a_challenger_as_good_as_the_champion_shows_no_gain():
    draw = np.random.default_rng(8)
    p = draw.beta(1, 4, 4000)
    label = draw.random(4000) < p
    _, low, high = brier_gain(p, p + draw.normal(0, 0.001, 4000), label)
    assert low < 0 < high
    assert brier_gain(np.full(4000, label.mean()), p, label)[1] > 0


def test_the_threshold_by_cost_is_nearly_the_cheapest_of_calibrated_probabilities():
    draw = np.random.default_rng(9)
    p = draw.beta(1, 6, 60_000)
    label = (draw.random(60_000) < p).astype(int)
    costs = Costs(acted_in_vain=2, missed=10)
    t = threshold_by_cost(costs)
    found, cost = cheapest_threshold(p, label, costs)
    assert t == pytest.approx(1 / 6)
    assert found == pytest.approx(t, abs=0.04)
    assert mean_cost(p, label, t, costs) <= cost * 1.01
    assert mean_cost(p, label, found, costs) == pytest.approx(cost)


def test_where_no_contact_pays_nobody_is_contacted():
    threshold, cost = cheapest_threshold([0.1, 0.2, 0.3], [0, 0, 0], Costs(acted_in_vain=1, missed=1))
    assert threshold > 0.3 and cost == 0
    with pytest.raises(UnfitData, match="must cost more"):
        Costs(acted_in_vain=1, missed=1, acted_rightly=2)


def test_contributions_add_up_to_the_log_odds_of_every_customer():
    frame, label = small_world()
    model = fit_calibrated_logistic(frame, label, hinges=["b"])
    parts = contributions(model, frame)
    assert list(parts.columns) == ["a", "b", "c"]
    assert np.allclose(base_log_odds(model) + parts.sum(axis=1), model.log_odds(frame))
    assert importance(model, frame).index[0] == "a"
    assert np.abs(parts.mean()).max() < 1e-9
    top = reasons(model, frame.head(2), most=1)[0]
    assert top.split(" = ")[0] in {"a", "b", "c"} and ("raises (+" in top or "lowers (-" in top)
