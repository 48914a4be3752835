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
from lakehouse.science.segmentation.clusters import k_means
from lakehouse.science.segmentation.inputs import survey_scales
from lakehouse.science.segmentation.model import fit_segments

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
    scales = survey_scales(given[~straight], SCALES, least=0.35)
    chosen = pd.Series(hidden, index=given.index)[scales.scores.index]
    found = fit_segments(scales.scores.reset_index(drop=True), pd.Series(np.ones(len(scales.scores))))
    ours = adjusted_rand_score(chosen, found.table(scales.scores)["segment"])
    raw = given.loc[scales.scores.index]
    plain = adjusted_rand_score(chosen, k_means(raw.fillna(raw.mean()).to_numpy(dtype=float), len(TYPES)))
    print(f"{len(chosen)} answered, reliability {min(scales.reliability.values()):.2f} at least; {len(found.centres)} segments, "
          f"ARI {ours:.3f}, plain k-means on the answers told the number {plain:.3f}")  # fmt: skip
    assert found.structured and len(found.centres) == len(TYPES)
    assert ours >= plain - 0.02 and ours > 0.6


def test_an_attitude_scale_stands_highest_among_those_whose_type_it_is(answered):
    given, hidden = answered
    scores = survey_scales(given, SCALES, least=0.35).scores
    by_type = scores.groupby(pd.Series(hidden, index=given.index)[scores.index]).mean()
    assert [by_type.columns[i] for i in by_type.to_numpy().argmax(axis=1)] == list(TYPES)
