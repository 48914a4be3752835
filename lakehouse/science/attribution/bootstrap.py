"""How much credit would change with other customers of the same kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lakehouse.science.attribution.paths import Floats, Paths
from lakehouse.science.unfit import UnfitData


@dataclass(frozen=True)
class Interval:
    """estimate, low, high, error (C,): the figure on the data, its percentile interval and standard error."""

    estimate: Floats
    low: Floats
    high: Floats
    error: Floats
    replicates: int


def resample(paths: Paths, draw: np.random.Generator) -> Paths:
    """The journeys of as many customers, drawn with replacement.

    All journeys of a customer come along together. Where rows are sums over unknown customers, single
    journeys are drawn instead, which understates the spread if customers convert repeatedly.
    """
    if paths.customer is not None:
        everyone = np.unique(paths.customer)
        times = np.bincount(draw.integers(0, len(everyone), len(everyone)), minlength=len(everyone))
        return paths.weighted(times[np.searchsorted(everyone, paths.customer)].astype(np.float64))
    rows = np.concatenate([paths.converted, paths.lost])
    drawn: Floats = draw.multinomial(int(rows.sum()), rows / rows.sum()).astype(np.float64)
    converted, lost = drawn[: len(paths.converted)], drawn[len(paths.converted) :]
    each = np.divide(paths.value, paths.converted, out=np.zeros_like(paths.value), where=paths.converted > 0)
    return replace(paths, converted=converted, value=converted * each, lost=lost)


def bootstrap(
    paths: Paths,
    statistic: Callable[[Paths], Floats],
    replicates: int = 200,
    level: float = 0.9,
    seed: int = 0,
) -> Interval:
    """Percentile intervals of any figure per channel (Efron & Tibshirani 1993, ch. 13).

    statistic: takes journeys, gives (C,). level: 0.9 for 90 % intervals.
    """
    if not 0 < level < 1:
        raise UnfitData(f"bootstrap: level = {level}: give a share such as 0.9.")
    draw = np.random.default_rng(seed)
    figures = np.array([statistic(resample(paths, draw)) for _ in range(replicates)])
    low, high = np.quantile(figures, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Interval(statistic(paths), low, high, figures.std(axis=0, ddof=1), replicates)
