"""The model, in PyMC: sales = baseline + Σ channels' ceilings × saturation(adstock(media)) + noise.

Everything that differs between two fits of one shape is data, so it is compiled once and serves holdouts, refits and fits
with and without experiments.

    y[t,g] / (unit · size[g]) ~ Normal(μ[t,g], σ[g])
    μ[t,g] = level[g] + trend + seasons + wandering level + controls + Σ_c β[c] · m[g,c] · s(Σ_l w[c,l] x[t−l,g,c])
    β[c]   = effect[c] · active[c] / Σ_{t,g} size[g] s(…)          (so `effect` is what data and priors speak about)

Level, trend, seasons, wandering level and controls are linear with normal priors: integrated out (`linear.py`), drawn afterwards.

Jin, Wang, Sun, Chan, Koehler (2017) and, for geographies, Sun, Wang, Jin, Chan, Koehler (2017), "Geo-level Bayesian
hierarchical media mix modeling", both Google.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lakehouse.science.media_mix import adstock, linear, priors
from lakehouse.science.media_mix.saturation import SATURATIONS
from lakehouse.science.unfit import UnfitData


@dataclass(frozen=True)
class Form:
    """The shape of a channel's response."""

    saturation: str = "hill"
    adstock: str = "geometric"

    def __post_init__(self) -> None:
        """Refuse unknown names."""
        if self.saturation not in SATURATIONS or self.adstock not in adstock.ADSTOCKS:
            raise UnfitData(
                f"form {self.saturation}, {self.adstock}: saturation is one of {', '.join(SATURATIONS)}, "
                f"adstock one of {', '.join(adstock.ADSTOCKS)}."
            )

    def __str__(self) -> str:
        """The name in reports."""
        return f"{self.saturation} × {self.adstock}"


@dataclass(frozen=True)
class Shape:
    """Sizes of everything: what must stay the same for a compiled model to be used again."""

    form: Form
    periods: int
    geos: int
    channels: int
    linear: int
    knots: int
    lags: int
    lift_rows: int
    lift_window: int
    tests: int
    second: bool = False


def weights(form: Form, part: dict[str, Any], lags: int, xp: Any) -> Any:
    """(…, C, lags) adstock weights from the parameters in `part`."""
    if form.adstock == "geometric":
        return adstock.geometric(part["retention"], lags, xp)
    if form.adstock == "delayed":
        return adstock.delayed(part["retention"], part["peak"], lags, xp)
    return adstock.weibull(part["memory_shape"], part["memory_scale"], lags, xp)


def placeholders(shape: Shape) -> dict[str, tuple[int, ...]]:
    """The data the model takes, with their shapes."""
    s = shape
    return {
        "media": (s.periods, s.geos, s.channels, s.lags),
        "target": (s.periods, s.geos),
        "counts": (s.periods,),
        "columns": (s.periods, s.geos, s.linear),
        "gram": (s.geos, s.linear, s.linear),
        "spreads": (3, s.linear),
        "size": (s.geos,),
        "active": (s.channels,),
        "centre": (s.channels,),
        "spread": (s.channels,),
        "alike": (s.channels,),
        **({"retention_prior": (2,)} if s.form.adstock != "weibull" else {}),
        "half_prior": (2,),
        **({"slope_prior": (2,)} if s.form.saturation == "hill" else {}),
        "lift_with": (s.lift_rows, s.lift_window, s.lags),
        "lift_without": (s.lift_rows, s.lift_window, s.lags),
        "lift_counted": (s.lift_rows, s.lift_window),
        "lift_channel": (s.lift_rows, s.channels),
        "lift_place": (s.lift_rows, s.geos),
        "lift_test": (s.tests, s.lift_rows),
        "lift": (s.tests,),
        "lift_error": (s.tests,),
    }


def build(shape: Shape) -> Any:
    """A pymc.Model of that shape. `second` is the reparameterised one for a retry: ceilings instead of effects are sampled,
    geographies' differences are centred."""
    import numpy as np
    import pymc as pm
    import pytensor.tensor as pt

    form, saturate = shape.form, SATURATIONS[shape.form.saturation]
    with pm.Model() as model:
        d = {name: pm.Data(name, np.ones(size)) for name, size in placeholders(shape).items()}
        c = shape.channels
        part: dict[str, Any] = {}
        if form.adstock == "weibull":
            part["memory_shape"] = pm.LogNormal("memory_shape", np.log(1.3), 0.4, shape=c)
            part["memory_scale"] = pm.LogNormal("memory_scale", np.log(1.2), 0.7, shape=c)
        else:
            part["retention"] = pm.Beta("retention", d["retention_prior"][0], d["retention_prior"][1], shape=c)
        if form.adstock == "delayed":
            part["peak"] = pm.Exponential("peak", 1.0, shape=c)
        half = pm.LogNormal("half", pt.log(d["half_prior"][0]), d["half_prior"][1], shape=c)
        if form.saturation == "hill":
            slope = pm.LogNormal("slope", pt.log(d["slope_prior"][0]), d["slope_prior"][1], shape=c)
        else:
            slope = pt.ones(c)
        memory = weights(form, part, shape.lags, pt)
        reached = saturate((d["media"] * memory).sum(axis=-1), half, slope, pt)
        share = (reached * d["size"][:, None]).sum(axis=(0, 1)) / d["active"]
        common = pm.Normal("common", 0, priors.COMMON)
        if shape.second:
            ceiling = pm.HalfFlat("ceiling", shape=c, initval=np.full(c, 0.1))
            effect = pm.Deterministic("effect", ceiling * share)
            pm.Potential("effect_prior", (_effect_prior(d, pt.log(effect), common) - pt.log(ceiling)).sum())
        else:
            log_effect = pm.Flat("log_effect", shape=c, initval=np.full(c, np.log(0.1)))
            effect = pm.Deterministic("effect", pt.exp(log_effect))
            pm.Potential("effect_prior", _effect_prior(d, log_effect, common).sum())
            ceiling = effect / share
        strength = pt.ones((shape.geos, c))
        spread = d["spreads"][0]
        if shape.geos > 1:
            spread = spread + d["spreads"][2] * pm.HalfNormal("level_apart", 0.2)
            differ = pm.HalfNormal("strength_apart", 0.3)
            if shape.second:
                bend = pm.Normal("strength_geo", 0, differ, shape=(shape.geos, c))
            else:
                bend = pm.Deterministic("strength_geo", differ * pm.Normal("strength_geo_raw", 0, 1, shape=(shape.geos, c)))
            strength = pt.exp(bend)
        if shape.knots:
            spread = spread + d["spreads"][1] * pm.HalfNormal("pace", 0.05)
        noise = pm.HalfNormal("noise", 0.2, shape=shape.geos)
        left = d["target"] - linear.LEVEL - (reached * ceiling * strength).sum(axis=-1)
        pm.Potential("sales", linear.log_density(left, d["counts"], d["columns"], d["gram"], spread, noise))
        _lift(shape, d, memory, half, slope, ceiling, strength)
    return model


def _effect_prior(d: dict[str, Any], log_effect: Any, common: Any) -> Any:
    """(C,) log density of the logarithm of effects: log-normal around what all channels have in common where `alike`, else a
    normal law above zero."""
    import pymc as pm
    import pytensor.tensor as pt

    own = pm.logp(pm.TruncatedNormal.dist(d["centre"], d["spread"], lower=0.0), pt.exp(log_effect)) + log_effect
    alike = pm.logp(pm.Normal.dist(pt.log(d["spread"]) + common, priors.APART), log_effect)
    return pt.switch(d["alike"] > 0, alike, own)


def _lift(shape: Shape, d: dict[str, Any], memory: Any, half: Any, slope: Any, ceiling: Any, strength: Any) -> None:
    """Each test's lift, adstock ramp included: Normal(Σ s(with) − s(without), error)."""
    import pymc as pm
    import pytensor.tensor as pt

    saturate, pick = SATURATIONS[shape.form.saturation], d["lift_channel"]
    own = pt.dot(pick, memory)[:, None, :]
    h, s = pt.dot(pick, half)[:, None], pt.dot(pick, slope)[:, None]
    gain = sum(sign * saturate((d[name] * own).sum(axis=-1), h, s, pt) for sign, name in ((1.0, "lift_with"), (-1.0, "lift_without")))
    worth = pt.dot(pick, ceiling) * (pt.dot(d["lift_place"], strength) * pick).sum(axis=-1)
    expected = pt.dot(d["lift_test"], worth * (gain * d["lift_counted"]).sum(axis=-1))
    pm.Potential("lift_tests", pm.logp(pm.Normal.dist(expected, d["lift_error"]), d["lift"]).sum())
