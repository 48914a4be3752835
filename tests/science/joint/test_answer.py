"""The joint answer is nearer to the truth than each source alone, covers as it says, and counts nothing twice."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from lakehouse.science.joint.answer import join, moved_by
from lakehouse.science.joint.evidence import Attributed, Mix, Study
from lakehouse.science.joint.places import Places, PlaceStudy
from lakehouse.science.joint.simulated import placed_scene, scene
from lakehouse.science.unfit import UnfitData

SEEDS = range(1, 13)


def paired(other, ours):
    """90 % interval of the mean difference over seeds."""
    gap = np.asarray(other) - np.asarray(ours)
    half = stats.t.ppf(0.95, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap))
    return gap.mean() - half, gap.mean() + half


def share_inside(inside):
    """Share of intervals that hold the truth, with its own 90 % interval (Clopper and Pearson 1934)."""
    n, k = len(inside), sum(inside)
    return k / n, float(stats.beta.ppf(0.05, k, n - k + 1)), float(stats.beta.ppf(0.95, k + 1, n - k))


def off(effects, truth):
    return float(np.sqrt((np.log(np.asarray(effects) / truth) ** 2).mean()))


@pytest.mark.parametrize("bias", [0.3, 1.0])
def test_over_twelve_seeds_it_is_nearer_than_each_source_even_where_attribution_is_biased_on_purpose(bias):
    errors = {"joint": [], "mix": [], "attribution": [], "joint, tested": [], "experiments": []}
    inside = []
    for seed in SEEDS:
        s = scene(seed, attribution_bias=bias)
        table = join(s.mix, s.studies, s.attributed, draws=1500).table()
        errors["joint"].append(off(table["effect"], s.truth))
        errors["mix"].append(off(np.exp(s.mix.mean), s.truth))
        errors["attribution"].append(off([a.credit for a in s.attributed], s.truth))
        at = [s.mix.channels.index(t.channel) for t in s.studies]
        errors["joint, tested"].append(off(table["effect"].to_numpy()[at], s.truth[at]))
        errors["experiments"].append(off([max(t.effect / t.part, 1.0) for t in s.studies], s.truth[at]))
        inside += ((table["low"] <= s.truth) & (s.truth <= table["high"])).tolist()
    print(f"attribution off by e^{bias}:", {name: round(float(np.mean(values)), 3) for name, values in errors.items()})
    for other, ours in (("mix", "joint"), ("attribution", "joint"), ("experiments", "joint, tested")):
        low, high = paired(errors[other], errors[ours])
        print(f"  {other} is further off by {np.mean(errors[other]) - np.mean(errors[ours]):.3f} [{low:.3f}, {high:.3f}]")
        assert low > 0, other
    share, low, high = share_inside(inside)
    print(f"  covered {share:.1%} of {len(inside)} [{low:.1%}, {high:.1%}]")
    assert low <= 0.9 <= high


def test_effects_by_place_cover_as_stated_and_a_test_in_towns_brings_them_nearer():
    inside, without, nearer = [], [], []
    for seed in SEEDS:
        s = placed_scene(seed)
        known = (s.scene.mix, s.scene.studies, s.scene.attributed)
        table = join(*known, places=s.places, placed=s.placed, draws=600).by_place()
        before = join(*known, places=s.places, draws=600).by_place()
        inside.append(float(((table["low"] <= s.truth.ravel()) & (s.truth.ravel() <= table["high"])).mean()))
        at = [s.places[0].names.index(name) for name in s.placed[0].parts]
        without.append(off([before["effect"].to_numpy()[at].sum()], s.truth[0, at].sum()))
        nearer.append(off([table["effect"].to_numpy()[at].sum()], s.truth[0, at].sum()))
    low, high = paired(inside, np.zeros(len(inside)))
    print(f"by place: covered {np.mean(inside):.1%} of {s.truth.size * len(inside)}, [{low:.1%}, {high:.1%}] over seeds")
    print(f"  tested towns together are off by {np.mean(nearer):.3f}, without the test by {np.mean(without):.3f}")
    assert low <= 0.9 <= high
    assert paired(without, nearer)[0] > 0


def test_without_further_evidence_it_is_the_media_mix():
    s = scene(1)
    found = join(s.mix, draws=4000)
    assert np.log(found.effects).mean(axis=0) == pytest.approx(s.mix.mean, abs=0.04)
    assert np.log(found.effects).std(axis=0) == pytest.approx(np.sqrt(np.diag(s.mix.covariance)), rel=0.1)


def test_a_sharp_experiment_settles_its_channel_and_teaches_attributions_bias():
    s = scene(2, attribution_spread=0.02)
    tests = [
        Study(f"t{i}", name, float(truth), 0.02 * float(truth)) for i, (name, truth) in enumerate(zip(s.mix.channels, s.truth, strict=True))
    ]
    found = join(s.mix, tests[:4], s.attributed)
    assert found.table()["effect"].to_numpy()[:4] == pytest.approx(s.truth[:4], rel=0.05)
    assert found.bias.mean() == pytest.approx(0.3, abs=0.1)
    table = moved_by(s.mix, tests[:1], s.attributed, draws=800).set_index(["channel", "evidence"])["width"]
    assert table["channel 0", "all"] < 0.5 * table["channel 0", "without experiments"]


def test_what_is_not_seen_widens_the_interval():
    s = scene(3)
    whole = join(s.mix, s.studies, ()).table()
    half = join(s.mix, [replace(t, effect=t.effect / 2, error=t.error / 2, seen=0.5) for t in s.studies], ()).table()
    at = [s.mix.channels.index(t.channel) for t in s.studies]
    assert ((half["high"] / half["low"]).to_numpy()[at] > (whole["high"] / whole["low"]).to_numpy()[at]).all()


def test_a_study_counts_once_and_impossible_evidence_is_refused():
    s = scene(4)
    with pytest.raises(UnfitData, match="would count twice"):
        join(replace(s.mix, studies=(s.studies[0].name,)), s.studies)
    towns = PlaceStudy(s.studies[0].name, "channel 0", {"Rome": 1.0}, 5.0, 1.0)
    with pytest.raises(UnfitData, match="would count twice"):
        join(s.mix, s.studies, placed=[towns])
    with pytest.raises(UnfitData, match=r"no place \['Rome'\] of channel 0; it has Bonn"):
        join(s.mix, places=[Places.of("channel 0", {"Bonn": 5.0}, {}, {})], placed=[towns])
    with pytest.raises(UnfitData, match="no place has sales"):
        Places.of("channel 0", {"Bonn": 0.0}, {}, {})
    with pytest.raises(UnfitData, match="no channel radio"):
        join(s.mix, (), [Attributed("radio", 5.0)])
    with pytest.raises(UnfitData, match="above 0"):
        join(s.mix, (), [Attributed("channel 0", -5.0)])
    with pytest.raises(UnfitData, match="every value above 0"):
        Mix.of(("a",), np.array([[1.0], [0.0]]))
