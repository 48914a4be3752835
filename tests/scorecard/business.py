"""Others' market, stated anew from the documentation of pymc-labs/mmm-param-recovery: its preset "small business".

104 weeks, four channels, two controls; spend patterns, effects, memories, half-saturation points and slopes as published
there; geometric adstock over eight weeks that does not sum to one, Hill saturation of spend relative to its maximum, effects
relative to base sales of 5,000; season ±20 %, weekly noise 10 %, all settings varied by ±10 % from seed to seed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from tests.scorecard.worlds import World, world

Floats = npt.NDArray[np.float64]
WEEKS, SALES, LAGS = 104, 5000.0, 8
NAMES = ("search", "social", "local", "email")
EFFECT = (1.5, 1.2, 0.9, 1.2)
MEMORY = (0.0, 0.2, 0.4, 0.3)
SLOPE = (1.0, 1.5, 1.0, 2.0)
HALF = (1.0, 0.8, 1.5, 0.5)


def _campaigns(random: np.random.Generator, base: float, volatility: float, growth: float) -> Floats:
    """A second-order autoregression that never falls below zero, growing by a straight line."""
    size = base * volatility
    level = random.normal(0, size, WEEKS)
    for week in range(2, WEEKS):
        level[week] = max(0.0, 0.6 * level[week - 1] + 0.3 * level[week - 2] + random.normal(0, size))
    return np.maximum(level * (1 + np.linspace(0, growth * WEEKS, WEEKS)), 0)


def _bursts(random: np.random.Generator, base: float, volatility: float, chance: float, least: int, most: int) -> Floats:
    """On for some weeks, then off for at least one."""
    on, week = np.zeros(WEEKS, dtype=bool), 0
    while week < WEEKS:
        if random.random() < chance:
            lasting = int(random.integers(least, most + 1))
            on[week : week + lasting] = True
            week += lasting
        week += 1
    if not on.any():
        on[WEEKS // 3] = True
    return np.where(on, np.maximum(base + random.normal(0, base * volatility, WEEKS), 0.0), 0.0)


def small_business(seed: int) -> World:
    """One market of that preset."""
    random = np.random.default_rng([20250715, seed])

    def vary(value: float) -> float:
        return value * random.uniform(0.9, 1.1)

    days = np.arange(WEEKS) * 7 + 3
    season = np.cos(vary(0.5) + 4 * np.pi * days / 365.25)
    social = np.maximum(_campaigns(random, vary(500), vary(0.3), 0.0) * vary(0.4) * season, 0.0)
    spend = np.column_stack(
        [
            _campaigns(random, vary(100), vary(0.8), vary(0.004)),
            social,
            _bursts(random, vary(500), vary(0.6), vary(0.3), 2, 4),
            _bursts(random, vary(100), vary(0.5), vary(0.2), 1, 1),
        ]
    )
    controls = pd.DataFrame({"event": _bursts(random, 100, 0.5, 0.04, 3, 5), "sale": _bursts(random, 50, 0.5, 0.1, 1, 4)})
    largest = spend.max(axis=0)
    decay = np.asarray(MEMORY)[None, :] ** np.arange(LAGS)[:, None]
    slope, half = np.asarray(SLOPE), np.asarray(HALF)

    def respond(plan: Floats) -> Floats:
        felt = sum(decay[back] * np.vstack([np.zeros((back, 4)), plan / largest])[: len(plan)] for back in range(LAGS))
        powered = felt**slope
        return np.asarray(np.asarray(EFFECT) * SALES * powered / (powered + half**slope), dtype=np.float64)

    wave = 0.2 * np.sin(2 * np.pi * np.arange(WEEKS) / 52)
    baseline = vary(SALES) * (1 + wave + random.normal(0, 0.1, WEEKS)) + 0.5 * controls.sum(axis=1).to_numpy()
    return world("small business", seed, spend, NAMES, baseline, controls, respond, random)
