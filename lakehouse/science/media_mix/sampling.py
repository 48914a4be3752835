"""From data to draws one may use: compiled once per shape, sampled, and held to a convergence contract."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from lakehouse.errors import LakehouseError
from lakehouse.science.media_mix import baseline as base
from lakehouse.science.media_mix import linear
from lakehouse.science.media_mix.adstock import lagged
from lakehouse.science.media_mix.data import MediaData
from lakehouse.science.media_mix.lift import LiftRows, no_tests
from lakehouse.science.media_mix.model import Form, Shape, build, placeholders
from lakehouse.science.media_mix.priors import Priors

Floats = npt.NDArray[np.float64]


class Unconverged(LakehouseError, ArithmeticError):
    """The sampler did not give draws one may use; whatever was published before stays."""


@dataclass(frozen=True)
class Contract:
    """What draws must fulfil: r-hat below, effective sizes (bulk and tails) above, divergences at most."""

    r_hat: float = 1.01
    effective: float = 400.0
    divergences: int = 0


@dataclass(frozen=True)
class Effort:
    """How much is sampled. processes: chains at the same time."""

    draws: int = 750
    tune: int = 750
    chains: int = 4
    accept: float = 0.95
    processes: int = 2
    seed: int = 1


@dataclass(frozen=True)
class Diagnosis:
    """worst r-hat and effective sizes over all parameters, and which parameter it was; second: by the retry."""

    r_hat: float
    bulk: float
    tail: float
    divergences: int
    worst: str
    second: bool = False

    def broken(self, contract: Contract) -> list[str]:
        """The terms not fulfilled, in words."""
        said = []
        if not self.r_hat < contract.r_hat:
            said.append(f"r-hat {self.r_hat:.3f} of {self.worst}, must be below {contract.r_hat:g}")
        if min(self.bulk, self.tail) < contract.effective:
            said.append(f"effective sample size {min(self.bulk, self.tail):.0f}, must reach {contract.effective:g}")
        if self.divergences > contract.divergences:
            said.append(f"{self.divergences} divergences, {contract.divergences} allowed")
        return said


@dataclass(frozen=True)
class Setting:
    """All a fit depends on besides effort. lags: memory in periods. counts (T,): 1 where a period's sales are used."""

    data: MediaData
    form: Form
    priors: Priors
    baseline: base.Baseline
    lags: int
    tests: LiftRows
    counts: Floats

    def until(self, period: int) -> Setting:
        """The same, sales known only before `period`."""
        return replace(self, counts=(np.arange(len(self.counts)) < period).astype(np.float64))

    def untested(self) -> Setting:
        """The same without the evidence of tests."""
        return replace(self, tests=self.tests.silent())


def setting(data: MediaData, form: Form, priors: Priors, baseline: base.Baseline, lags: int, tests: LiftRows | None = None) -> Setting:
    """A setting in which all periods count."""
    return Setting(data, form, priors, baseline, lags, tests or no_tests(lags), np.ones(len(data.dates)))


@dataclass(frozen=True)
class Posterior:
    """draws: parameter → (S, …), in the model's unit."""

    setting: Setting
    draws: dict[str, Floats]
    diagnosis: Diagnosis

    @property
    def count(self) -> int:
        """Number of draws S."""
        return len(next(iter(self.draws.values())))

    def thinned(self, count: int) -> Posterior:
        """About `count` draws, evenly taken."""
        keep = np.linspace(0, self.count - 1, min(count, self.count)).round().astype(int)
        return replace(self, draws={name: values[keep] for name, values in self.draws.items()})


def standardised(data: MediaData) -> Floats:
    """(T, G, K) controls with mean 0 and deviation 1."""
    spread = data.controls.std(axis=(0, 1))
    return np.asarray((data.controls - data.controls.mean(axis=(0, 1))) / np.where(spread > 0, spread, 1.0), dtype=np.float64)


def linear_columns(s: Setting) -> Floats:
    """(T, G, K) columns of what sales would be without media."""
    trend, seasons, wander = (of(s.data, s.baseline) for of in (base.trend, base.seasons, base.wander))
    return linear.columns(trend, seasons, wander, standardised(s.data))


def linear_groups(s: Setting) -> dict[str, int]:
    """Their coefficients' names and numbers."""
    trend, seasons, wander = (of(s.data, s.baseline).shape[1] for of in (base.trend, base.seasons, base.wander))
    return linear.groups(len(s.data.geos), trend, seasons, wander, s.data.controls.shape[2])


def inputs_of(s: Setting) -> dict[str, Floats]:
    """What the model takes as data, by name."""
    data, tests = s.data, s.tests
    past = None if data.before is None else data.scaled(data.before)
    z = linear_columns(s)
    identity_c, identity_g = np.eye(len(data.channels)), np.eye(len(data.geos))
    return {
        "media": lagged(data.scaled(data.spend), s.lags, past),
        "target": data.target / (data.unit * data.size),
        "counts": s.counts,
        "columns": z,
        "gram": np.einsum("tgk,tgj,t->gkj", z, z, s.counts, optimize=True),
        "spreads": linear.spreads(linear_groups(s)),
        "size": data.size,
        "active": data.active,
        "centre": s.priors.centre,
        "spread": s.priors.spread,
        "alike": np.zeros(len(data.channels)) if s.priors.alike is None else s.priors.alike.astype(np.float64),
        "retention_prior": np.array(s.priors.retention),
        "half_prior": np.array(s.priors.half),
        "slope_prior": np.array(s.priors.slope),
        "lift_with": tests.with_test,
        "lift_without": tests.without,
        "lift_counted": tests.counted,
        "lift_channel": identity_c[tests.channel],
        "lift_place": identity_g[tests.geo],
        "lift_test": tests.test * tests.size,
        "lift": tests.lift,
        "lift_error": tests.error,
    }


def shape_of(s: Setting, inputs: dict[str, Floats], second: bool) -> Shape:
    """The shape to compile for these inputs."""
    periods, geos, channels, lags = inputs["media"].shape
    rows, window, _ = inputs["lift_with"].shape
    return Shape(
        s.form,
        periods,
        geos,
        channels,
        inputs["columns"].shape[-1],
        linear_groups(s).get("wander_step", 0),
        lags,
        rows,
        window,
        len(inputs["lift"]),
        second,
    )


@lru_cache(maxsize=12)
def _compiled(shape: Shape) -> Any:
    import nutpie

    return nutpie.compile_pymc_model(build(shape))


def _run(s: Setting, effort: Effort, second: bool) -> Posterior:
    import arviz as az
    import nutpie

    inputs = inputs_of(s)
    shape = shape_of(s, inputs, second)
    model = _compiled(shape).with_data(**{name: np.ascontiguousarray(inputs[name]) for name in placeholders(shape)})
    logging.getLogger("nutpie").setLevel(logging.ERROR)
    trace = nutpie.sample(
        model,
        draws=effort.draws * (2 if second else 1),
        tune=effort.tune * (2 if second else 1),
        chains=effort.chains,
        cores=effort.processes,
        target_accept=0.99 if second else effort.accept,
        seed=effort.seed + (1000 if second else 0),
        progress_bar=False,
        save_warmup=False,
    )
    found = trace.posterior.dataset
    summary = az.summary(found, kind="diagnostics", round_to="none")
    worst = str(summary["r_hat"].idxmax())
    diagnosis = Diagnosis(
        float(summary["r_hat"].max()),
        float(summary["ess_bulk"].min()),
        float(summary["ess_tail"].min()),
        int(trace.sample_stats["diverging"].sum()),
        worst,
        second,
    )
    draws = {
        str(name): np.asarray(values.values, dtype=np.float64).reshape(-1, *values.shape[2:]) for name, values in found.data_vars.items()
    }
    from lakehouse.science.media_mix.response import with_baseline

    return with_baseline(Posterior(s, draws, diagnosis), effort.seed)


def sample(s: Setting, effort: Effort | None = None, contract: Contract | None = None) -> Posterior:
    """Draws that fulfil the contract; one retry in other coordinates with more effort, then `Unconverged`.

    r-hat and effective sizes: Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), Bayesian Analysis 16(2).
    """
    effort, contract = effort or Effort(), contract or Contract()
    first = _run(s, effort, second=False)
    broken = first.diagnosis.broken(contract)
    if not broken:
        return first
    again = _run(s, effort, second=True)
    still = again.diagnosis.broken(contract)
    if still:
        raise Unconverged(
            f"media mix, {s.form}: {'; '.join(broken)}. After reparameterising: {'; '.join(still)}. "
            "Valid draws fulfil every term; the previous result stays. Give the model more to go on: tighter priors "
            "(from_spend, from_experiments), fewer channels (join those which move together), fewer knots, or lift tests."
        )
    return again
