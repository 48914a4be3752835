"""The PyMC model says what the arithmetic in numpy says, for every form, without and with geographies."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from lakehouse.science.media_mix.baseline import Baseline
from lakehouse.science.media_mix.lift import LiftTest, rows
from lakehouse.science.media_mix.model import Form, build, placeholders
from lakehouse.science.media_mix.priors import APART, pooled, weak
from lakehouse.science.media_mix.response import baseline, contributions, lifts, log_densities, with_baseline
from lakehouse.science.media_mix.sampling import Diagnosis, Posterior, inputs_of, linear_columns, linear_groups, setting, shape_of
from lakehouse.science.unfit import UnfitData
from tests.science.media_mix.simulated import market, written

TRUTH = ([300.0, 200.0], [60.0, 120.0], [0.2, 0.6])


def parameters(names, geos, random):
    """One draw of everything that is sampled, as a posterior holds it."""
    size = {"common": (), "pace": (), "level_apart": (), "strength_apart": (), "noise": (geos,)}
    size |= {"strength_geo": (geos, 2), "strength_geo_raw": (geos, 2)}
    return {name: np.asarray(0.2 + 0.3 * random.random(size.get(name, (2,)))) for name in names}


def expected_density(p):
    """The same by brute force: the joint normal law of all sales, the baseline's coefficients put into its covariance."""
    data, z, groups = p.setting.data, linear_columns(p.setting), linear_groups(p.setting)
    prior = {"level": 0.5, "wander_step": float(p.draws.get("pace", [0.3])[0]), "level_geo": float(p.draws.get("level_apart", [0.3])[0])}
    deviations = np.concatenate([np.full(count, prior.get(name, 0.3)) for name, count in groups.items()])
    unit = data.unit * data.size
    mean = 0.7 + contributions(p)[0].sum(axis=-1) / unit
    flat = z.reshape(-1, z.shape[-1])
    covariance = flat * deviations**2 @ flat.T + np.diag(np.tile(p.draws["noise"][0], len(data.dates)) ** 2)
    return stats.multivariate_normal.logpdf((data.target / unit).ravel(), mean.ravel(), covariance)


@pytest.mark.parametrize(
    ("form", "geos", "second"),
    [(Form("hill", "geometric"), 3, False), (Form("logistic", "delayed"), 1, True), (Form("exponential", "weibull"), 3, True)],
)
def test_the_model_and_the_arithmetic_agree(form, geos, second):
    import pytensor

    data, _ = market(*TRUTH, geos=geos)
    tests = rows(data, [LiftTest("channel_1", 40, (60.0,) * 3, 150.0, 30.0, after=2), LiftTest("channel_0", 60, (-20.0,), -30.0, 9.0)], 8)
    s = setting(data, form, pooled(data) if geos == 1 else weak(data), Baseline(), 8, tests)
    inputs = inputs_of(s)
    shape = shape_of(s, inputs, second)
    model = build(shape)
    for name in placeholders(shape):
        model[name].set_value(inputs[name])
    free = [v.name for v in model.free_RVs]
    drawn = parameters(free, geos, np.random.default_rng(3))
    wanted = {"sales", "lift_tests", "effect_prior"}
    terms = [v for v in model.potentials if v.name in wanted]
    given = [model[name] for name in free]
    derived = list(model.deterministics)
    found = pytensor.function(given, [*terms, *derived], mode="FAST_COMPILE", on_unused_input="ignore")(*(drawn[n] for n in free))
    told = {v.name: float(x) for v, x in zip(terms, found, strict=False)}
    known = {**drawn, **{v.name: np.asarray(x) for v, x in zip(derived, found[len(terms) :], strict=True)}}
    posterior = Posterior(s, {name: value[None] for name, value in known.items()}, Diagnosis(1, 1000, 1000, 0, ""))
    scale = np.log(data.unit * data.size).sum() * len(data.dates)
    assert told["sales"] == pytest.approx(expected_density(posterior), rel=1e-6)
    assert told["sales"] == pytest.approx(log_densities(posterior, len(data.dates))[0, 0] + scale, rel=1e-6)
    effect, spread = known["effect"], s.priors.spread
    believed = stats.norm.logpdf(np.log(effect), np.log(spread) + known["common"], APART) if s.priors.alike is not None else (
        stats.halfnorm.logpdf(effect, scale=spread) + np.log(effect)
    )  # fmt: skip
    assert told["effect_prior"] == pytest.approx((believed - (np.log(known["ceiling"]) if second else 0)).sum(), rel=1e-6)
    expected = lifts(posterior, tests)[0]
    assert told["lift_tests"] == pytest.approx(stats.norm.logpdf(tests.lift, expected / data.unit, tests.error).sum(), rel=1e-6)


def test_baseline_coefficients_drawn_afterwards_are_those_of_the_regression():
    data, truth = market(*TRUTH)
    s = setting(data, Form("logistic"), weak(data), Baseline(), 8)
    knowing = written(data, *TRUTH, saturation="logistic", draws=400)
    fixed = {"noise": np.full((knowing.count, 1), 0.02), "pace": np.full(knowing.count, 0.02)}
    found = with_baseline(replace(knowing, setting=s, draws={**knowing.draws, **fixed}))
    said = baseline(found).mean(axis=0)[:, 0]
    z, left = linear_columns(s)[:, 0], (data.target - truth.sum(axis=-1))[:, 0]
    plain = z @ np.linalg.lstsq(z, left, rcond=None)[0]
    assert np.corrcoef(said, plain)[0, 1] > 0.95
    assert said.mean() == pytest.approx(left.mean(), rel=0.01)
    assert 0 < baseline(found).std(axis=0).max() < 0.1 * data.unit


def test_an_unknown_form_is_refused():
    with pytest.raises(UnfitData, match="adstock one of geometric, delayed, weibull"):
        Form("hill", "elastic")
