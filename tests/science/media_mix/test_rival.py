"""PyMC-Marketing's model is read rightly: our arithmetic on their parameters gives their contributions."""

import numpy as np
import pytest

from lakehouse.science.media_mix.response import contributions
from lakehouse.science.media_mix.sampling import Diagnosis
from tests.scorecard.business import small_business
from tests.scorecard.contenders import lifts, rival_model, written


@pytest.mark.parametrize("saturation", ["logistic", "hill"])
def test_their_contributions_are_ours_of_their_parameters(saturation):
    import pytensor

    world = small_business(1)
    model, sales = rival_model(world, saturation, world.tests)
    names = [
        n
        for n in ("adstock_alpha", "saturation_beta", "saturation_lam", "saturation_kappa", "saturation_slope")
        if n in model.model.named_vars
    ]
    random = np.random.default_rng(1)
    drawn = {name: random.uniform(0.3, 0.8, 4) for name in names}
    given = {model.model[name]: value for name, value in drawn.items()}
    theirs = model.model["channel_contribution"]
    values = pytensor.function([], theirs, givens={v: np.asarray(x) for v, x in given.items()}, mode="FAST_COMPILE")()
    largest = float(sales.max())
    ours = contributions(written(world, {n: v[None] for n, v in drawn.items()}, saturation, largest, Diagnosis(1, 1, 1, 0, "")))
    assert np.asarray(values) * largest == pytest.approx(ours[0, :, 0], rel=1e-4, abs=1.0)
    term = next(v for v in model.model.observed_RVs if v.name == "lift_measurements")
    model.add_lift_test_measurements(lifts(world, world.tests), name="their_own")
    own = next(v for v in model.model.observed_RVs if v.name == "their_own")
    point = model.model.initial_point(random_seed=1)
    density = model.model.compile_logp(vars=[term, own], sum=False, mode="FAST_COMPILE")(point)
    assert np.sum(density[0]) == pytest.approx(np.sum(density[1]), rel=1e-6)
