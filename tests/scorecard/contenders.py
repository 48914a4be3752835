"""Ours and PyMC-Marketing's media mix model on the same data, answered by the same arithmetic.

Their posterior (adstock, saturation, ceilings) is written as one of ours: the formulas are the same, so contributions,
intervals and budgets of both are computed alike, and only the fits differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lakehouse.science.media_mix.baseline import Baseline
from lakehouse.science.media_mix.lift import LiftTest
from lakehouse.science.media_mix.mix import FORMS, MediaMix, fit_media_mix, stacked
from lakehouse.science.media_mix.model import Form
from lakehouse.science.media_mix.priors import pooled
from lakehouse.science.media_mix.sampling import Diagnosis, Effort, Posterior, setting
from tests.scorecard.worlds import World

LAGS = 8
RIVALS = ("rival logistic", "rival hill")
CONTENDERS = ("ours", *RIVALS)
EFFORT = Effort(draws=750, tune=400, chains=4, accept=0.9, processes=1)
CEILING = 0.17
"""Their Hill form's prior of a ceiling (HalfNormal), in units of the largest sales, for all markets alike: its mean is twice what ours
expects of a channel (.3 of sales ÷ 5 channels × e^.49, mean ÷ largest sales about .7), because a ceiling is reached by half."""
COMPILED: dict[tuple[object, ...], Any] = {}


def fit(contender: str, world: World, tested: bool) -> MediaMix:
    """The contender's answer, without or with the lift tests."""
    tests = world.tests if tested else world.untested()
    if contender == "ours":
        return fit_media_mix(world.data, forms=FORMS, tests=tests, lags=LAGS, effort=EFFORT, holdout=20)
    return rival(world, contender.removeprefix("rival "), tests)


def rival_model(world: World, saturation: str, tests: Sequence[LiftTest]) -> tuple[Any, pd.Series]:
    """(PyMC-Marketing's MMM, sales): its defaults with yearly seasons, the same controls and a linear trend; Hill with our
    priors. One test per channel, in their order, as data, so that a model is compiled once for all seeds."""
    from pymc_extras.prior import Prior
    from pymc_marketing.mmm import GeometricAdstock, HillSaturation, LogisticSaturation
    from pymc_marketing.mmm.mmm import MMM

    data = world.data
    sales = pd.Series(data.target[:, 0], name="y")
    table = pd.DataFrame(data.spend[:, 0], columns=list(data.channels)).assign(date=data.dates)
    controls = {name: data.controls[:, 0, i] for i, name in enumerate(data.control_names)}
    table = table.assign(**controls, trend=np.linspace(-0.5, 0.5, len(table)))
    shape: Any = LogisticSaturation()
    if saturation == "hill":
        ours = pooled(data)
        believed = {"kappa": ours.half, "slope": ours.slope}
        log = {name: Prior("LogNormal", mu=float(np.log(m)), sigma=s, dims="channel") for name, (m, s) in believed.items()}
        shape = HillSaturation(priors={**log, "beta": Prior("HalfNormal", sigma=CEILING, dims="channel")})
    model = MMM(
        date_column="date",
        target_column="y",
        channel_columns=list(data.channels),
        control_columns=[*data.control_names, "trend"],
        adstock=GeometricAdstock(l_max=LAGS),
        saturation=shape,
        yearly_seasonality=2,
    )
    model.build_model(table, sales)
    _measure(model, lifts(world, tests), world, float(sales.max()))
    return model, sales


def _measure(model: Any, found: pd.DataFrame, world: World, largest: float) -> None:
    """What their `add_lift_test_measurements` adds, with the tests as data instead of constants."""
    import pymc.dims as pmd

    spend = world.data.spend[:, 0].max(axis=0)
    scaled = {name: found[name].to_numpy() / (spend if name in ("x", "delta_x") else largest) for name in found.columns[1:]}
    with model.model:
        d = {name: pmd.Data(f"lift_{name}", values, dims="channel") for name, values in scaled.items()}
        own = {parameter: model.model[name] for parameter, name in model.saturation.variable_mapping.items()}
        gain = model.saturation.function(d["x"] + d["delta_x"], **own) - model.saturation.function(d["x"], **own)
        pmd.Normal("lift_measurements", mu=gain, sigma=d["sigma"], observed=d["delta_y"])


def rival(world: World, saturation: str, tests: Sequence[LiftTest]) -> MediaMix:
    """Their fit, sampled by the same sampler with the same effort."""
    import nutpie

    model, sales = rival_model(world, saturation, tests)
    names = [
        "adstock_alpha",
        "saturation_beta",
        *(["saturation_kappa", "saturation_slope"] if saturation == "hill" else ["saturation_lam"]),
    ]
    key = (saturation, *world.data.spend.shape, len(world.data.control_names))
    if key not in COMPILED:
        COMPILED[key] = nutpie.compile_pymc_model(model.model, var_names=names)
    read = {v.name for v in COMPILED[key].shared_var_keys}
    values = {name: model.model[name].get_value() for name in read}
    trace = nutpie.sample(
        COMPILED[key].with_data(**values),
        draws=EFFORT.draws,
        tune=EFFORT.tune,
        chains=EFFORT.chains,
        cores=1,
        seed=EFFORT.seed,
        target_accept=EFFORT.accept,
        progress_bar=False,
        save_warmup=False,
    )
    found = trace.posterior.dataset
    drawn = {name: np.asarray(found[name], dtype=np.float64).reshape(-1, found[name].shape[-1]) for name in names}
    return stacked([written(world, drawn, saturation, float(sales.max()), _diagnosis(trace, names))], np.ones(1))


def lifts(world: World, tests: Sequence[LiftTest]) -> pd.DataFrame:
    """Per week of the test, as their documentation asks: spend before, spend added, sales gained, standard error."""
    rows = []
    for test in tests:
        weeks = len(test.added)
        usual = world.data.spend[test.start : test.start + weeks, 0, world.data.channels.index(test.channel)].mean()
        rows.append((test.channel, usual, test.added[0], test.lift / weeks, test.error / weeks))
    return pd.DataFrame(rows, columns=["channel", "x", "delta_x", "delta_y", "sigma"])


def _diagnosis(trace: Any, names: Sequence[str]) -> Diagnosis:
    import arviz as az

    found = az.summary(trace.posterior.dataset[list(names)], kind="diagnostics", round_to="none")
    diverging = int(np.asarray(trace.sample_stats["diverging"]).sum())
    return Diagnosis(float(found["r_hat"].max()), float(found["ess_bulk"].min()), float(found["ess_tail"].min()), diverging, "")


def written(world: World, drawn: dict[str, Any], saturation: str, largest: float, diagnosis: Diagnosis) -> Posterior:
    """Their draws (S, C), which are relative to the largest spend and `largest` sales, as one of our posteriors."""
    draws = {"retention": drawn["adstock_alpha"], "ceiling": drawn["saturation_beta"] * largest / world.data.unit}
    if saturation == "hill":
        draws |= {"half": drawn["saturation_kappa"], "slope": drawn["saturation_slope"]}
    else:
        draws["half"] = np.log(3.0) / drawn["saturation_lam"]
    return Posterior(setting(world.data, Form(saturation), pooled(world.data), Baseline(), LAGS), draws, diagnosis)
