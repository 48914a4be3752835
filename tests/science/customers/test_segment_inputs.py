"""What segments are made from: surveys, places, kinds of features with equal say."""

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.segmentation import find_segments, k_means, regions, survey_scales, weighted_blocks
from lakehouse.science.segmentation.inputs import cronbach_alpha
from lakehouse.science.unfit import UnfitData

SCALES = {"price": ["p1", "p2", "p3"], "green": ["g1", "g2", "g3"]}


def answers(n: int = 400) -> tuple[pd.DataFrame, np.ndarray]:
    draw = np.random.default_rng(1)
    kind = draw.integers(0, 2, n)
    style = draw.normal(0, 0.8, n)
    items = {}
    for name, own in (("p", kind == 0), ("g", kind == 1)):
        for j in (1, 2, 3):
            level = 3 + np.where(own, 1.0, -1.0) + style + draw.normal(0, 0.6, n)
            items[f"{name}{j}"] = np.clip(np.round(level), 1, 5)
    frame = pd.DataFrame(items)
    frame["g3"] = 6 - frame["g3"]
    return frame, kind


def test_attitudes_are_told_whatever_the_way_of_ticking():
    frame, kind = answers()
    found = survey_scales(frame, SCALES, reversed_items=["g3"])
    labels = k_means(found.scores.to_numpy(), 2)
    same = max(np.mean(labels == kind), np.mean(labels != kind))
    assert same > 0.97
    assert min(found.reliability.values()) > 0.8
    assert np.allclose(found.scores.sum(axis=1), 0)  # ipsatised


def test_an_item_not_turned_around_is_noticed_and_codes_for_no_answer_are_refused():
    frame, _ = answers()
    with pytest.raises(UnfitData, match=r"do not hang together.*green"):
        survey_scales(frame, SCALES)
    with pytest.raises(UnfitData, match="outside 1 to 5"):
        survey_scales(frame.replace({"p1": {5.0: 99.0}}), SCALES, reversed_items=["g3"])


def test_who_left_most_questions_out_has_no_score():
    frame, _ = answers()
    frame.loc[:9, ["g1", "g2"]] = np.nan
    assert len(survey_scales(frame, SCALES, reversed_items=["g3"]).scores) == 390


def test_alpha_is_that_of_the_formula():
    items = pd.DataFrame({"a": [2, 4, 3, 5, 1], "b": [1, 5, 3, 4, 2], "c": [2, 4, 4, 5, 1]})
    cov = items.cov().to_numpy()
    assert cronbach_alpha(items) == pytest.approx(3 / 2 * (1 - np.trace(cov) / cov.sum()))


def test_small_places_are_one_region():
    place = pd.Series(["Berlin"] * 60 + ["Graz"] * 10 + ["Lyon"] * 5 + [None] * 5)
    assert regions(place).value_counts().to_dict() == {"Berlin": 60, "elsewhere": 20}


def test_a_kind_with_many_columns_does_not_drown_the_one_that_tells_the_segments_apart():
    draw = np.random.default_rng(2)
    kind = draw.integers(0, 2, 500)
    behaviour = pd.DataFrame({"orders": np.where(kind == 0, 2.0, 9.0) + draw.normal(0, 0.8, 500)})
    where = pd.DataFrame(draw.normal(size=(500, 12)), columns=[f"g{i}" for i in range(12)])
    plain = np.column_stack([(behaviour - behaviour.mean()) / behaviour.std(), where])
    x = weighted_blocks({"behaviour": behaviour, "geography": where}, {"geography": 0.2})

    def hit(labels: np.ndarray) -> float:
        return max(np.mean(labels == kind), np.mean(labels != kind))

    assert hit(k_means(x, 2)) > 0.99 > hit(k_means(plain, 2))
    assert find_segments(x, k_range=(2, 3), references=5).k == 2
    with pytest.raises(UnfitData, match="unknown weights"):
        weighted_blocks({"behaviour": behaviour}, {"survey": 1.0})


def test_age_place_and_behaviour_together_tell_segments_that_none_of_them_tells_alone():
    draw = np.random.default_rng(3)
    n = 600
    kind = draw.integers(0, 4, n)  # by age and by behaviour; the place says nothing, in many small towns
    behaviour = pd.DataFrame({"orders": np.where(kind % 2 == 0, 2.0, 9.0) + draw.normal(0, 1, n)})
    ages = pd.Series(np.where(kind < 2, "18-29", "60+")).where(draw.random(n) > 0.03)
    demography = pd.DataFrame({"age_group": ages, "is_business": (kind < 2).astype(float)})
    towns = pd.Series([f"town {i}" for i in draw.integers(0, 200, n)]).where(draw.random(n) > 0.5, draw.choice(["Wien", "Graz"], n))
    geography = pd.DataFrame({"region": regions(towns)})
    assert set(geography["region"]) == {"Wien", "Graz", "elsewhere"}
    blocks = {"behaviour": behaviour, "demography": demography, "geography": geography}
    found = find_segments(weighted_blocks(blocks, {"geography": 0.1}), k_range=(3, 5), references=2, most=200)
    same = pd.crosstab(kind, found.labels).max(axis=1).sum() / n
    print(f"{found.k} segments, {same:.1%} with their kind")
    assert found.k == 4 and same > 0.95
