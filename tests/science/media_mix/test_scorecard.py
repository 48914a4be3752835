"""The judge is fair: a contender who knows the truth has no error, and a benchmark that was stopped goes on."""

import json

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.media_mix.mix import stacked
from lakehouse.science.media_mix.response import contributions
from tests.science.media_mix.simulated import market, written
from tests.scorecard import media_mix
from tests.scorecard.business import small_business
from tests.scorecard.company import VARIANTS, company
from tests.scorecard.judge import coverage, paired, score
from tests.scorecard.worlds import world

TRUTH = ([300.0, 200.0], [60.0, 120.0], [0.2, 0.6])


@pytest.mark.parametrize("make", [small_business, *(lambda seed, v=v: company(v, seed) for v in VARIANTS)])
def test_a_market_is_the_same_from_its_seed_and_its_answer_is_its_truth(make):
    first, again, other = make(3), make(3), make(4)
    assert (first.data.target == again.data.target).all()
    assert not (first.data.target == other.data.target).all()
    assert first.respond(first.data.spend[:, 0]) == pytest.approx(first.truth)
    assert (first.truth >= 0).all()
    assert 0.05 < first.truth.sum() / first.data.target.sum() < 0.7
    assert [t.channel for t in first.tests] == list(first.data.channels)
    assert all(t.error > 0 for t in first.tests)


@pytest.fixture(scope="module")
def small():
    data, truth = market(*TRUTH)

    def respond(plan):
        return contributions(written(data, *TRUTH, draws=1), plan[:, None, :])[0, :, 0]

    without = data.target[:, 0] - truth[:, 0].sum(axis=1)
    nothing = pd.DataFrame(index=range(len(truth)))
    return world("small", 0, data.spend[:, 0], data.channels, without, nothing, respond, np.random.default_rng(0))


def test_who_knows_the_truth_has_no_error_and_no_regret(small):
    knowing = stacked([written(small.data, *TRUTH, spread=0.01)], np.ones(1))
    found = score(small, knowing)
    assert found.srmse < 0.02
    assert found.regret < 0.01
    wrong = stacked([written(small.data, [100.0, 600.0], *TRUTH[1:], spread=0.01)], np.ones(1))
    worse = score(small, wrong)
    assert worse.srmse > 0.5
    assert worse.covered == 0
    assert worse.regret > found.regret


def test_pairs_are_compared_with_their_interval():
    ours, other = np.array([0.2, 0.3, 0.25]), np.array([0.3, 0.4, 0.35])
    less, low, high = paired(ours, other)
    assert less == pytest.approx(1 - 0.75 / 1.05)
    assert 0 < low < less < high
    share, least, most = coverage(43, 48)
    assert least < 0.9 < most
    assert share == pytest.approx(43 / 48)
    assert coverage(48, 48)[2] == 1


def test_a_benchmark_that_was_stopped_goes_on_with_what_is_missing(tmp_path, monkeypatch):
    file = tmp_path / "known.jsonl"
    every = list(media_mix.cases())
    assert len(set(every)) == len(every) == 2 * 3 * (12 + 12 + 4 * 3)
    fitted = []

    def fit(contender, found, tested):
        fitted.append((found.name, found.seed, tested, contender))
        ceilings = found.truth.max(axis=0) * 2
        channels = len(ceilings)
        return stacked([written(found.data, ceilings, found.data.reference, [0.3] * channels, spread=0.1)], np.ones(1))

    monkeypatch.setattr(media_mix, "fit", fit)
    monkeypatch.setattr(media_mix, "cases", lambda: iter(every[:4]))
    media_mix.run(file, 1.0, tell=str)
    monkeypatch.setattr(media_mix, "cases", lambda: iter(every[:6]))
    media_mix.run(file, 1.0, tell=str)
    assert len(fitted) == len(set(fitted)) == 6
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["contender"] for row in rows[:3]] == list(media_mix.CONTENDERS)
    page = media_mix.tables(file)
    assert len(page) == 4
    assert page[2].startswith("| base | without | 1 |")
    media_mix.run(file, 0.0, tell=str)
    assert len(file.read_text().splitlines()) == 6
