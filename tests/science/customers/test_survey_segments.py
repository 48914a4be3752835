"""Needs told in the simulated company's survey, as exported: scales, segments by attitude, and the hidden types behind them."""

import io
from datetime import date

import numpy as np
import pandas as pd
import pytest

from infra.world.company import Company
from infra.world.day import simulate
from infra.world.market import surveys
from infra.world.market.minds import NEEDS, TYPES, types
from infra.world.population import begin
from lakehouse.science.segmentation.attitudes import fit_attitudes
from lakehouse.science.segmentation.clusters import k_means
from lakehouse.science.segmentation.inputs import survey_scales

SHOP = Company(7, "test", 3000, date(2026, 1, 5))
SCALES = {kind: list(NEEDS[3 * i : 3 * i + 3]) for i, kind in enumerate(TYPES)}


@pytest.fixture(scope="module")
def answered() -> tuple[pd.DataFrame, np.ndarray]:
    """The last answer of each customer as numbers, by position, and their hidden types."""
    state, files = begin(SHOP), []
    for _ in range(60):
        files += [body for _, body in surveys.answers(SHOP, state)]
        state = simulate(SHOP, state).after
    rows = pd.concat([pd.read_csv(io.BytesIO(body), encoding="utf-8-sig") for body in files]).sort_values("Submitted", kind="stable")
    rows = rows.drop_duplicates("Customer", keep="last")
    given = rows[list(NEEDS)].apply(lambda column: pd.to_numeric(column.str[0])).set_index(rows["Customer"].str[1:].astype(int) - 1)
    who = given.index.to_numpy()
    return given, types(SHOP, who, state.customers[who])


def test_segments_by_attitude_are_the_hidden_types_at_least_as_well_as_plain_k_means_told_their_number(answered):
    from sklearn.metrics import adjusted_rand_score

    given, hidden = answered
    straight = given.nunique(axis=1) <= 1
    found = fit_attitudes(given[~straight], SCALES)
    told = found.table(given[~straight])["attitude"].dropna()
    chosen = pd.Series(hidden, index=given.index)[told.index]
    ours = adjusted_rand_score(chosen, told)
    raw = given.loc[told.index]
    plain = adjusted_rand_score(chosen, k_means(raw.fillna(raw.mean()).to_numpy(dtype=float), len(TYPES)))
    print(f"{len(chosen)} answered, reliability {min(found.reliability.values()):.2f} at least; {len(found.names)} segments, "
          f"ARI {ours:.3f}, plain k-means on the answers told the number {plain:.3f}")  # fmt: skip
    assert found.segments is not None and sorted(found.names) == sorted(TYPES)
    assert (told == np.array(TYPES)[chosen]).mean() > 0.8  # a segment is named after the type it is
    assert sum(found.sizes.values()) == len(told)
    assert ours >= plain - 0.02 and ours > 0.6


def test_an_attitude_scale_stands_highest_among_those_whose_type_it_is(answered):
    given, hidden = answered
    scores = survey_scales(given, SCALES, least=0.35).scores
    by_type = scores.groupby(pd.Series(hidden, index=given.index)[scores.index]).mean()
    assert [by_type.columns[i] for i in by_type.to_numpy().argmax(axis=1)] == list(TYPES)


def test_where_attitudes_form_no_clusters_each_customer_has_their_own_highest_and_who_said_little_has_none():
    draw = np.random.default_rng(4)
    cloud = np.repeat(draw.normal(3, 1, (300, 4)), 3, axis=1) + draw.normal(0, 0.5, (300, 12))
    answers = pd.DataFrame(np.clip(np.rint(cloud), 1, 5), columns=list(NEEDS))
    answers.loc[0, list(NEEDS)[:2]] = np.nan
    found = fit_attitudes(answers, SCALES)
    told = found.table(answers)
    assert found.segments is None and set(told["attitude"].dropna()) == set(TYPES)
    assert told["attitude"].isna().tolist() == [True] + [False] * 299
    assert found.table(answers.head(1))["attitude"].isna().all() and told["certainty"].dropna().between(0, 1).all()
