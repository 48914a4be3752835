"""Segmentation: published examples, refusal where there is nothing to find, names that stay, readable rules."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from lakehouse.science.propensity import UnfitData
from lakehouse.science.propensity.encoding import learn_encoding
from lakehouse.science.segmentation import (
    assign,
    dbscan,
    find_segments,
    hdbscan,
    hierarchical,
    hybrid,
    jaccard_stability,
    k_means,
    keep_labels,
    migration,
    profiles,
    segment_rules,
    silhouette,
    tree_rules,
)
from lakehouse.science.segmentation.model import SegmentModel, continued, fit_segments


@pytest.fixture(scope="module")
def three_blobs() -> tuple[np.ndarray, np.ndarray]:
    x, truth = make_blobs(750, centers=[[1, 1], [-1, -1], [1, -1]], cluster_std=0.4, random_state=0)
    return StandardScaler().fit_transform(x), truth


def test_dbscan_equals_the_published_example(three_blobs):
    """Source: scikit-learn's "Demo of DBSCAN": 3 clusters, 18 noise, ARI .952, silhouette .626; tolerance .0005."""
    x, truth = three_blobs
    labels = dbscan(x, 0.3, 10)
    assert labels.max() + 1 == 3
    assert (labels == -1).sum() == 18
    assert adjusted_rand_score(truth, labels) == pytest.approx(0.952, abs=5.1e-4)
    assert silhouette(x, labels) == pytest.approx(0.626, abs=5.1e-4)


def test_iris_gives_the_known_figures():
    """Issue: k-means ARI .730, silhouette .553; Ward .731; tolerance .0005."""
    iris = load_iris()
    labels = k_means(iris.data, 3)
    assert adjusted_rand_score(iris.target, labels) == pytest.approx(0.730, abs=5.1e-4)
    assert silhouette(iris.data, labels) == pytest.approx(0.553, abs=5.1e-4)
    assert adjusted_rand_score(iris.target, hierarchical(iris.data, 3)) == pytest.approx(0.731, abs=5.1e-4)


def test_hdbscan_needs_no_radius(three_blobs):
    labels = hdbscan(three_blobs[0], 25)
    assert labels.max() + 1 == 3
    assert adjusted_rand_score(three_blobs[1][labels >= 0], labels[labels >= 0]) > 0.95


@pytest.mark.parametrize("shape", ["uniform", "normal"])
def test_noise_is_refused_and_the_reason_given(shape):
    x = getattr(np.random.default_rng(3), shape)(size=(300, 3))
    with pytest.raises(UnfitData, match=r"no structure: the best of k = 2 … 4 .* use RFM scores"):
        find_segments(StandardScaler().fit_transform(x), k_range=(2, 4), references=8)


def types(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Four hidden types of customers: buying rate, basket and share online differ."""
    draw = np.random.default_rng(seed)
    kind = draw.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])
    frame = pd.DataFrame(
        {
            "orders": draw.poisson(np.array([1.5, 6, 6, 25])[kind]) + 1,
            "basket": np.exp(draw.normal(np.array([3.0, 3.0, 4.5, 4.0])[kind], 0.25)),
            "online": draw.beta(np.array([8, 2, 8, 5])[kind], np.array([2, 8, 2, 5])[kind]),
        }
    )
    return frame, kind


def test_hidden_types_are_found_at_least_as_well_as_by_plain_k_means_told_their_number():
    frame, kind = types(600, 1)
    x = learn_encoding(frame, log1p=["orders", "basket"]).matrix(frame)
    found = find_segments(x, k_range=(2, 5), references=6)
    plain = k_means(StandardScaler().fit_transform(frame), 4)
    assert found.k == 4
    assert adjusted_rand_score(kind, found.labels) >= adjusted_rand_score(kind, plain)
    assert found.evidence.loc[4, "jaccard"] > 0.75
    table = profiles(frame, found.labels, frame.orders * frame.basket)
    assert table.customers.sum() == 600 and table.value_share.sum() == pytest.approx(1)
    assert table.customers.is_monotonic_decreasing
    assert table.words.str.contains(r"high orders \(").any()


def test_clusters_cut_out_of_one_cloud_are_less_stable_than_true_ones(three_blobs):
    cloud = np.random.default_rng(1).normal(size=(400, 2))
    assert jaccard_stability(three_blobs[0], k_means(three_blobs[0], 3), draws=5).min() > 0.95
    assert jaccard_stability(cloud, k_means(cloud, 6), draws=5).min() < 0.75


def test_a_segment_keeps_its_number_when_the_next_run_numbers_them_otherwise():
    customers = [f"c{i}" for i in range(100)]
    before = pd.Series(np.repeat([0, 1, 2], [50, 30, 20]), index=customers)
    now = before.map({0: 2, 1: 0, 2: 1})
    now.iloc[:5] = 0
    kept = keep_labels(before, now.iloc[:95])
    assert (kept.iloc[5:] == before.iloc[5:95]).all()
    assert (kept.iloc[:5] == 1).all()
    table = migration(before, kept)
    assert (table.loc["0", "1"], table.loc["2", "gone"]) == (5, 5)


def test_a_segment_without_predecessor_gets_a_number_never_used():
    before = pd.Series([0] * 40 + [1] * 40 + [-1] * 20, index=range(100))
    now = pd.Series([1] * 40 + [0] * 40 + [2] * 20, index=range(100))
    assert keep_labels(before, now).tolist() == [0] * 40 + [1] * 40 + [2] * 20
    with pytest.raises(UnfitData, match="none of 2 customers"):
        keep_labels(before, pd.Series([0, 1], index=[500, 501]))


@pytest.fixture(scope="module")
def first() -> SegmentModel:
    frame, _ = types(600, 1)
    return fit_segments(np.log(frame), frame.orders * frame.basket, most=300, references=2)


def test_a_new_training_keeps_the_numbers_of_the_segments_it_continues_and_gives_no_number_twice(first):
    frame, kind = types(600, 5)
    features, worth = np.log(frame), -frame.orders * frame.basket
    anew = fit_segments(features, worth, most=300, references=2)
    kept = fit_segments(features, worth, predecessor=first, most=300, references=2)
    before, then, now = (one.table(features)["segment"] for one in (first, anew, kept))
    assert (before == then).mean() < 0.5 < 0.97 < (before == now).mean()  # value turned round: numbered anew they all change
    assert continued(kept, first) == [0, 1, 2, 3] and kept.used == 4
    assert kept.profile.index.tolist() == [0, 1, 2, 3]
    said = kept.table(features).groupby("segment")["words"].agg(set)
    assert all(said[one] == {kept.profile.loc[one, "words"]} for one in said.index)

    two = np.isin(kind, (0, 3))  # two of the four types are left
    fewer = fit_segments(features[two], worth[two], predecessor=kept, most=300, references=2)
    again = fit_segments(features, worth, predecessor=fewer, most=300, references=2)
    assert len(fewer.numbers) == 2 and set(fewer.numbers) < {0, 1, 2, 3} and fewer.used == 4
    assert set(fewer.numbers) < set(again.numbers) and set(again.numbers) - set(fewer.numbers) == {4, 5}  # 0 to 3 had a meaning

    others = fit_segments(features.rename(columns={"online": "in_shop"}), worth, predecessor=again, most=300, references=2)
    assert others.numbers == (6, 7, 8, 9) and continued(others, again) == []


def test_rules_describe_the_segments_in_few_words_and_say_how_often_they_err(first):
    frame, _ = types(600, 7)
    features = np.log(frame)
    told, made = first.table(features), first.described(features)
    right = float((told["segment"] == told["by_rule"]).mean())
    print(f"rules right for {right:.1%} of customers of whom they learnt nothing; {made['rule'].to_list()}")
    assert right > 0.95 and made["precision"].min() > 0.85 and made["recall"].min() > 0.85
    assert made["customers"].sum() == 600 and made["described"].sum() == 600
    assert made["rule"].str.len().between(5, 140).all() and set(told["rule"]) == set(made["rule"])
    assert segment_rules(features, np.zeros(600, dtype=np.int64)) == [] == segment_rules(features.head(9), np.arange(9))
    assert (SegmentModel(first.encoding, first.centres, first.profile, first.evidence, True).table(features)["by_rule"] == -1).all()


def test_rules_of_a_tree_can_be_read_and_divide_everybody():
    frame, _ = types(2000, 2)
    value = (frame.orders * frame.basket).to_numpy()
    rules = tree_rules(frame, value, leaves=5)
    segment = assign(rules, frame)
    assert (segment >= 0).all()
    assert sum(rule.holds(frame).astype(int) for rule in rules).tolist() == [1] * 2000
    assert [rule.customers for rule in rules] == np.bincount(segment).tolist()
    means = [value[segment == rule.segment].mean() for rule in rules]
    assert means == pytest.approx([rule.mean for rule in rules]) and means == sorted(means, reverse=True)
    assert rules[0].text.startswith(("orders > ", "basket > ")) and len(rules[0].text) < 70


def test_a_customer_claimed_by_two_rules_belongs_to_the_first_and_is_marked():
    table = hybrid({"vip": np.array([1, 1, 0, 0], bool), "at risk": np.array([0, 1, 1, 0], bool)}, np.array([0, 0, 1, -1]))
    assert table.segment.tolist() == ["vip", "vip", "at risk", "no segment"]
    assert table.claimed_by.tolist() == ["vip", "vip; at risk", "at risk", ""]
    assert table.overlap.tolist() == [False, True, False, False]


def test_more_clusters_than_different_customers_are_refused():
    with pytest.raises(UnfitData, match="2 to 3 is valid"):
        k_means(np.array([[0.0], [1.0], [2.0], [2.0]]), 4)
