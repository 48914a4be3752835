"""Sampling for real: a form takes a minute or two to compile, so these run in `make prove`; the arithmetic is tested elsewhere."""

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.media_mix import calibration, outcomes, sampling
from lakehouse.science.media_mix.baseline import Baseline
from lakehouse.science.media_mix.budget import allocate
from lakehouse.science.media_mix.data import from_frame
from lakehouse.science.media_mix.future import foresee
from lakehouse.science.media_mix.lift import LiftTest, rows
from lakehouse.science.media_mix.mix import fit_media_mix
from lakehouse.science.media_mix.model import Form
from lakehouse.science.media_mix.plan import Budget
from lakehouse.science.media_mix.priors import from_spend, weak
from lakehouse.science.media_mix.response import contributions
from lakehouse.science.media_mix.sampling import Diagnosis, Effort, Posterior, Unconverged, sample, setting
from tests.science.media_mix.simulated import market, written

TRUTH = ([300.0, 200.0], [60.0, 120.0], [0.2, 0.6])
EFFORT = Effort()
FULL = os.environ.get("LAKEHOUSE_PROVE") == "full"


def proof(test):
    """Marks a test that samples."""
    return pytest.mark.prove(pytest.mark.skipif(not FULL, reason="samples: LAKEHOUSE_PROVE=full")(test))


@pytest.fixture(scope="module")
def scene():
    data, truth = market(*TRUTH, saturation="logistic")
    more = data.spend.copy()
    more[60:64, 0, 1] += 80
    knowing = written(data, *TRUTH, saturation="logistic", draws=1)
    lift = float((contributions(knowing, more) - contributions(knowing))[0, 60:64, 0, 1].sum())
    tests = [LiftTest("channel_1", 60, (80.0,) * 4, lift, 0.05 * lift)]
    s = setting(data, Form("logistic"), weak(data), Baseline(), 8, rows(data, tests, 8))
    return data, truth, tests, s


@pytest.fixture(scope="module")
def alone(scene):
    return sample(scene[3].untested(), EFFORT)


@pytest.fixture(scope="module")
def calibrated(scene):
    return sample(scene[3], EFFORT)


@proof
def test_contributions_are_found_again(scene, alone):
    _, truth, _, _ = scene
    drawn = contributions(alone)[:, :, 0]
    error = np.sqrt(((drawn.mean(axis=0) - truth[:, 0]) ** 2).mean(axis=0)) / truth[:, 0].std(axis=0)
    assert (error < 0.4).all()
    low, high = np.quantile(drawn.sum(axis=1), [0.01, 0.99], axis=0)
    total = truth[:, 0].sum(axis=0)
    assert ((low < total) & (total < high)).all()


@proof
def test_the_draws_fulfil_the_contract(alone):
    assert alone.diagnosis.broken(sampling.Contract()) == []


@proof
def test_an_experiment_narrows_its_channel_and_moves_the_answer_towards_it(scene, alone, calibrated):
    _, _, tests, _ = scene
    before, after = (contributions(p)[:, :, 0, 1].sum(axis=1).std() for p in (alone, calibrated))
    assert after < before
    table = calibration.pull(tests, alone, calibrated)
    assert not table["conflict"].any()
    assert table["both_error"].iloc[0] < min(table["data_error"].iloc[0], table["measured_error"].iloc[0])


@proof
def test_a_contradicting_experiment_is_flagged(scene, alone):
    data, _, tests, s = scene
    wrong = [replace(tests[0], lift=-3 * tests[0].lift)]
    both = sample(replace(s, tests=rows(data, wrong, 8)), EFFORT)
    assert calibration.pull(wrong, alone, both)["conflict"].all()


@proof
def test_the_future_is_foreseen_with_few_refits(scene):
    seen = foresee(scene[3], 92, EFFORT)
    assert len(seen.refits) <= 5
    assert seen.error["absolute_error"] < 0.1
    assert np.isfinite(seen.score).all()


def test_a_fit_that_does_not_converge_is_tried_once_more_and_then_refused(scene, monkeypatch):
    tried = []

    def run(s, effort, second):
        tried.append(second)
        return Posterior(s, {"level": np.zeros(4)}, Diagnosis(1.2, 50, 60, 3, "half[0]", second))

    monkeypatch.setattr(sampling, "_run", run)
    with pytest.raises(Unconverged, match=r"r-hat 1\.200 of half\[0\].*After reparameterising.*previous result stays"):
        sample(scene[3], EFFORT)
    assert tried == [False, True]


@proof
def test_the_second_coordinates_give_the_same_answer(scene, alone):
    again = sampling._run(scene[3].untested(), EFFORT, second=True)
    first, second = (contributions(p)[:, :, 0].sum(axis=1) for p in (alone, again))
    assert second.mean(axis=0) == pytest.approx(first.mean(axis=0), abs=0.25 * first.std(axis=0).min())


@pytest.mark.prove
@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["meridian", "robyn"])
def test_others_simulated_markets_run_from_end_to_end(shared_data, name):
    if name == "meridian":
        frame = pd.read_csv(shared_data / "meridian_mmm" / "national_media.csv")
        frame["sales"] = frame["conversions"] * frame["revenue_per_conversion"]
        controls = ["competitor_activity_score_control", "sentiment_score_control"]
        data = from_frame(frame, date="time", target="sales", channels=[f"Channel{i}_spend" for i in range(4)], controls=controls)
    else:
        frame = pd.read_csv(shared_data / "robyn_mmm" / "dt_simulated_weekly.csv")
        channels = ["tv_S", "ooh_S", "print_S", "facebook_S", "search_S"]
        data = from_frame(frame, date="DATE", target="revenue", channels=channels, controls=["competitor_sales_B", "newsletter"])
    believed = from_spend(data)
    assert (believed.spread > 0).all()
    if not FULL:
        return
    mix = fit_media_mix(data, priors=believed, effort=Effort(processes=2))
    assert mix.weights.sum() == pytest.approx(1)
    assert np.isfinite(outcomes.returns(mix).drop(columns="channel").to_numpy()).all()
    assert (outcomes.out_of_time(mix)["absolute_error"] < 0.3).all()
    total = float(data.spend[-13:].sum())
    assert allocate(mix, Budget(total, 13)).table["spend"].sum() == pytest.approx(total)
