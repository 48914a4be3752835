import numpy as np
import pytest

from lakehouse.science.media_mix import calibration, outcomes
from lakehouse.science.media_mix.future import stacking
from lakehouse.science.media_mix.lift import LiftTest, rows
from lakehouse.science.media_mix.mix import stacked
from lakehouse.science.media_mix.response import baseline, contributions, lifts
from lakehouse.science.media_mix.sampling import Contract, Diagnosis
from lakehouse.science.unfit import UnfitData
from tests.science.media_mix.simulated import known_mix, market, written

TRUTH = ([300.0, 200.0], [60.0, 120.0], [0.2, 0.6])


@pytest.fixture(scope="module")
def scene():
    return market(*TRUTH)


def test_contributions_of_the_truth_are_the_true_ones(scene):
    data, truth = scene
    assert contributions(written(data, *TRUTH)).mean(axis=0) == pytest.approx(truth, abs=1e-3)


def test_another_plan_is_answered_with_what_still_works_from_before(scene):
    data, _ = scene
    silence = np.zeros((10, 1, 2))
    brought = contributions(written(data, *TRUTH), silence, data.spend)[0, :, 0]
    assert (brought[0] > [0, 50]).all()
    assert brought[8:] == pytest.approx(0, abs=0.01)
    with pytest.raises(UnfitData, match=r"\(periods, 1, 2\)"):
        contributions(written(data, *TRUTH), np.zeros((10, 2)))


def test_return_is_contribution_by_spend_and_the_next_euro_brings_less(scene):
    data, truth = scene
    table = outcomes.returns(known_mix(data, *TRUTH, slope=0.9))
    assert (table["marginal_roas"] < table["roas"]).all()
    exact = outcomes.returns(known_mix(data, *TRUTH))
    assert exact["contribution"].to_numpy() == pytest.approx(truth.sum(axis=(0, 1)))
    assert exact["roas"].to_numpy() == pytest.approx(truth.sum(axis=(0, 1)) / data.spend.sum(axis=(0, 1)))


def test_intervals_hold_nine_tenths_of_the_draws(scene):
    data, _ = scene
    mix = known_mix(data, *TRUTH, spread=0.2, draws=400)
    drawn = mix.draws(lambda p: contributions(p).sum(axis=(1, 2)))
    table = outcomes.returns(mix)
    inside = (drawn >= table["contribution_low"].to_numpy()) & (drawn <= table["contribution_high"].to_numpy())
    assert inside.mean() == pytest.approx(0.9, abs=0.01)


def test_curves_rise_from_zero_and_flatten(scene):
    data, _ = scene
    table = outcomes.curves(known_mix(data, *TRUTH))
    first = table[table["channel"] == "channel_0"]
    assert first["mean"].iloc[0] == pytest.approx(0, abs=1e-3)
    assert first["mean"].is_monotonic_increasing
    assert (first["spend"].iloc[-1]) == pytest.approx(2 * data.spend[:, 0, 0].mean())


def test_weekly_contributions_and_baseline_add_up_to_what_is_expected(scene):
    data, _ = scene
    mix = known_mix(data, *TRUTH)
    table = outcomes.weekly_contributions(mix)
    summed = table.groupby("date")["mean"].sum().to_numpy()
    expected = mix.draws(lambda p: baseline(p).sum(axis=2) + contributions(p).sum(axis=(2, 3))).mean(axis=0)
    assert summed == pytest.approx(expected)


def test_the_answers_dependence_on_the_form_is_told(scene):
    data, _ = scene
    fits = [written(data, *TRUTH), written(data, [450.0, 200.0], *TRUTH[1:], saturation="michaelis")]
    mix = stacked(fits, np.array([0.75, 0.25]))
    table = outcomes.by_form(mix)
    assert set(table["form"]) == {"hill × geometric", "michaelis × geometric"}
    assert (table["apart"] > 0).all()
    assert [part.count for part in mix.parts] == [50, 50]


def test_pull_is_all_where_the_posterior_is_sharp(scene):
    data, _ = scene
    table = outcomes.prior_and_posterior(known_mix(data, *TRUTH))
    assert (table["pull"] > 0.99).all()


def test_a_test_is_expected_to_ramp_up_and_to_work_on_after_it(scene):
    data, _ = scene
    posterior = written(data, *TRUTH)
    added = (50.0,) * 4

    def expected(after):
        return lifts(posterior, rows(data, [LiftTest("channel_1", 60, added, 0.0, 1.0, after=after)], 8))[0, 0]

    more = data.spend.copy()
    more[60:64, 0, 1] += 50
    gain = (contributions(posterior, more) - contributions(posterior))[0, :, 0, 1]
    assert expected(0) == pytest.approx(gain[60:64].sum())
    assert expected(7) == pytest.approx(gain.sum())
    assert expected(0) < 0.8 * expected(7)


def test_a_test_already_in_the_data_is_compared_with_what_would_have_been(scene):
    data, _ = scene
    posterior = written(data, *TRUTH)
    dark = LiftTest("channel_0", 30, (-1000.0,) * 3, 0.0, 1.0)
    seen = lifts(posterior, rows(data, [dark], 8))[0, 0]
    assert seen < 0
    spent = tuple(data.spend[30:33, 0, 0])
    included = LiftTest("channel_0", 30, spent, 0.0, 1.0, included=True)
    assert lifts(posterior, rows(data, [included], 8))[0, 0] == pytest.approx(-seen)


def test_a_test_in_some_places_counts_only_there():
    data, _ = market(*TRUTH, geos=3)
    posterior = written(data, *TRUTH)
    everywhere = LiftTest("channel_0", 30, (90.0,) * 4, 0.0, 1.0)
    here = LiftTest("channel_0", 30, (30.0,) * 4, 0.0, 1.0, geos=("place_1",))
    found = lifts(posterior, rows(data, [everywhere, here], 8))[0]
    assert 0 < found[1] < found[0]
    with pytest.raises(UnfitData, match="no geography moon"):
        rows(data, [LiftTest("channel_0", 30, (1.0,), 0, 1, geos=("moon",))], 8)


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (LiftTest("radio", 1, (1.0,), 1, 1), "no channel 'radio'"),
        (LiftTest("channel_0", 100, (1.0,) * 9, 1, 1), "are not within 0 to 103"),
        (LiftTest("channel_0", 1, (1.0,), 1, 0), "error 0 must be above 0"),
    ],
)
def test_an_impossible_test_is_refused(scene, test, said):
    with pytest.raises(UnfitData, match=said):
        rows(scene[0], [test], 8)


def test_pull_and_conflict_are_reported_per_test(scene):
    data, _ = scene
    tests = [LiftTest("channel_0", 30, (50.0,) * 4, 200.0, 20.0), LiftTest("channel_1", 50, (50.0,) * 4, 5000.0, 20.0)]
    alone, both = (written(data, *TRUTH, spread=s, draws=300) for s in (0.3, 0.1))
    table = calibration.pull(tests, alone, both)
    assert table["conflict"].tolist() == [False, True]
    assert table.loc[1, "pull"] == pytest.approx(0, abs=0.1)


def test_stacking_follows_foresight_and_shares_where_forms_are_alike():
    random = np.random.default_rng(0)
    alike = random.normal(size=26)
    assert stacking(np.stack([alike, alike])) == pytest.approx([0.5, 0.5])
    better = stacking(np.stack([alike, alike - 2]))
    assert better[0] > 0.9
    each = np.where(np.arange(26) % 2 == 0, 3.0, -3.0)
    assert stacking(np.stack([each, -each])) == pytest.approx([0.5, 0.5], abs=1e-6)


def test_the_contract_names_each_broken_term():
    bad = Diagnosis(1.05, 100, 300, 7, "half[1]")
    said = bad.broken(Contract())
    assert len(said) == 3
    assert "half[1]" in said[0]
    assert Diagnosis(1.002, 900, 800, 0, "x").broken(Contract()) == []


def test_importance_weights_reweigh_one_posterior_into_the_next():
    """Draws of Normal(0, 1) weighed by the likelihood of a further observation at 1 (error 2) have the updated mean. The library
    takes the logarithms with a minus, as leave-one-out needs them."""
    from arviz_stats.base import array_stats

    draws = np.random.default_rng(0).normal(size=4000)
    log, shape = array_stats.psislw(0.5 * ((1 - draws) / 2) ** 2)
    assert np.exp(log) @ draws == pytest.approx(0.2, abs=0.05)
    assert shape < 0.7
