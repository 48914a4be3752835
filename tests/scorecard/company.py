"""Our own market: five channels, each with a response of its own form, over a baseline with trend, season, holidays and a
slow drift nobody observes. Variants change one thing each.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from lakehouse.science.media_mix.adstock import geometric, lagged, weibull
from lakehouse.science.media_mix.saturation import SATURATIONS
from tests.scorecard.worlds import World, world

Floats = npt.NDArray[np.float64]
WEEKS, SALES, LAGS = 130, 100_000.0, 12
NAMES = ("search", "social", "tv", "radio", "display")
TYPICAL = np.array([4000.0, 3000.0, 9000.0, 2500.0, 2000.0])
VARIANTS = ("base", "weibull", "confounded", "correlated", "changing")


def _drift(random: np.random.Generator, size: float, memory: float = 0.95) -> Floats:
    steps = random.normal(0, 1, WEEKS)
    level = np.zeros(WEEKS)
    for week in range(1, WEEKS):
        level[week] = memory * level[week - 1] + steps[week]
    return size * (level - level.mean()) / level.std()


def _spend(random: np.random.Generator, variant: str, demand: Floats) -> Floats:
    """(T, C): search and display always on, tv and radio in flights, social in between."""
    common = random.normal(0, 1, WEEKS)
    columns = []
    for i, typical in enumerate(TYPICAL):
        own = random.normal(0, 1, WEEKS)
        shock = 0.9 * common + 0.44 * own if variant == "correlated" else own
        amount = typical * np.exp(0.45 * shock + _drift(random, 0.25))
        if i in (2, 3):
            starts = random.random(WEEKS) < 0.13
            flight = np.convolve(starts, np.ones(5))[:WEEKS] > 0
            amount = amount * (flight if variant != "correlated" else np.maximum(flight, 0.15))
        if variant == "confounded":
            amount = amount * np.exp(4.0 * demand)
        columns.append(amount)
    return np.column_stack(columns)


def company(variant: str, seed: int) -> World:
    """One market of a variant: base; weibull (effects peak later); confounded (spend follows the demand nobody observes);
    correlated (channels move together); changing (effects drift by about a third)."""
    if variant not in VARIANTS:
        raise ValueError(f"company: variant {variant!r}; one of {', '.join(VARIANTS)}.")
    random = np.random.default_rng([7, VARIANTS.index(variant), seed])
    week = np.arange(WEEKS)
    hidden = _drift(random, 0.03)
    demand = hidden + 0.08 * np.sin(2 * np.pi * week / 52.18)
    spend = _spend(random, variant, demand)
    forms = random.choice(["hill", "logistic", "exponential", "michaelis"], size=5)
    slope = random.uniform(0.8, 2.2, 5)
    half = spend.max(axis=0) * random.uniform(0.2, 1.0, 5)
    weight = geometric(random.uniform(0.1, 0.7, 5), LAGS)
    if variant == "weibull":
        weight = weibull(random.uniform(1.3, 2.5, 5), random.uniform(1.5, 4.0, 5), LAGS)
    path = np.column_stack([np.exp(_drift(random, 0.3, 0.97)) for _ in range(5)]) if variant == "changing" else np.ones((WEEKS, 5))

    def shape(plan: Floats) -> Floats:
        felt = np.einsum("tcl,cl->tc", lagged(plan, LAGS), weight)
        return np.column_stack([SATURATIONS[str(forms[i])](felt[:, i], half[i], slope[i]) for i in range(5)])

    share = random.dirichlet(np.full(5, 4.0)) * random.uniform(0.2, 0.4)
    ceiling = share * SALES / shape(spend).mean(axis=0)

    def respond(plan: Floats) -> Floats:
        strength = path[np.minimum(np.arange(len(plan)), WEEKS - 1)]
        return ceiling * strength * shape(plan)

    holidays = ((week % 52) >= 50).astype(float)
    price = _drift(random, 1.0)
    baseline = SALES * (0.7 + 0.06 * week / WEEKS + demand + 0.06 * holidays - 0.03 * price + random.normal(0, 0.03, WEEKS))
    controls = pd.DataFrame({"holidays": holidays, "price": price})
    return world(f"company, {variant}", seed, spend, NAMES, baseline, controls, respond, random)
