"""The PyMC model says what the arithmetic in numpy says, for every form, without and with geographies."""

import numpy as np
import pytest
from scipy import stats

from lakehouse.science.media_mix.baseline import Baseline
from lakehouse.science.media_mix.future import densities
from lakehouse.science.media_mix.lift import LiftTest, rows
from lakehouse.science.media_mix.model import Form, build, placeholders
from lakehouse.science.media_mix.priors import weak
from lakehouse.science.media_mix.response import lifts
from lakehouse.science.media_mix.sampling import Diagnosis, Posterior, inputs_of, setting, shape_of
from lakehouse.science.unfit import UnfitData
from tests.science.media_mix.simulated import market

TRUTH = ([300.0, 200.0], [60.0, 120.0], [0.2, 0.6])


def parameters(names, geos, knots, second, random):
    """One draw of everything, as a posterior holds it."""
    size = {"level": (), "pace": (), "level_apart": (), "strength_apart": (), "noise": (geos,), "trend_step": (1,), "season": (4,)}
    size |= {"wander_step": (knots,), "wander_raw": (knots,), "level_geo": (geos,), "level_geo_raw": (geos,)}
    size |= {"strength_geo": (geos, 2), "strength_geo_raw": (geos, 2)}
    return {name: np.asarray(0.2 + 0.3 * random.random(size.get(name, (2,)))) for name in names}


@pytest.mark.parametrize(
    ("form", "geos", "second"),
    [(Form("hill", "geometric"), 3, False), (Form("logistic", "delayed"), 1, True), (Form("exponential", "weibull"), 3, True)],
)
def test_the_model_and_the_arithmetic_agree(form, geos, second):
    import pytensor

    data, _ = market(*TRUTH, geos=geos)
    tests = rows(data, [LiftTest("channel_1", 40, (60.0,) * 3, 150.0, 30.0, after=2), LiftTest("channel_0", 60, (-20.0,), -30.0, 9.0)], 8)
    s = setting(data, form, weak(data), Baseline(), 8, tests)
    inputs = inputs_of(s)
    shape = shape_of(s, inputs, second)
    model = build(shape)
    for name in placeholders(shape):
        model[name].set_value(inputs[name])
    free = [v.name for v in model.free_RVs]
    drawn = parameters(free, geos, inputs["wander"].shape[1], second, np.random.default_rng(3))
    wanted = {"sales", "lift_tests"}
    terms = [v for v in model.potentials if v.name in wanted]
    given = [model[name] for name in free]
    derived = list(model.deterministics)
    found = pytensor.function(given, [*terms, *derived], mode="FAST_COMPILE", on_unused_input="ignore")(*(drawn[n] for n in free))
    told = {v.name: float(x) for v, x in zip(terms, found, strict=False)}
    known = {**drawn, **{v.name: np.asarray(x) for v, x in zip(derived, found[len(terms) :], strict=True)}}
    posterior = Posterior(s, {name: value[None] for name, value in known.items()}, Diagnosis(1, 1000, 1000, 0, ""))
    scale = np.log(data.unit * data.size).sum() * len(data.dates)
    assert told["sales"] == pytest.approx(densities(posterior).sum() + scale, rel=1e-6)
    expected = lifts(posterior, tests)[0]
    assert told["lift_tests"] == pytest.approx(stats.norm.logpdf(tests.lift, expected / data.unit, tests.error).sum(), rel=1e-6)


def test_an_unknown_form_is_refused():
    with pytest.raises(UnfitData, match="adstock one of geometric, delayed, weibull"):
        Form("hill", "elastic")
