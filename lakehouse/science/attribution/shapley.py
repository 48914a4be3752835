"""Shapley values: a channel's average contribution over all orders in which channels could join.

Shapley (1953), "A value for n-person games". Exact over every coalition up to 12 channels; beyond, sampled
orders with standard errors (Castro, Gómez, Tejada 2009, Computers & Operations Research 36(5)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial
from typing import Literal

import numpy as np
import numpy.typing as npt

from lakehouse.science.attribution.paths import Floats, Integers, Paths, totals
from lakehouse.science.unfit import UnfitData

EXACT_UP_TO = 12
Coalitions = npt.NDArray[np.bool_]
Worth = Callable[[Coalitions], Floats]
Game = Literal["conversions", "rate"]


@dataclass(frozen=True)
class Shapley:
    """credit: (C,) sums to the worth of all channels together; error: (C,) standard errors, zero when
    exact."""

    credit: Floats
    error: Floats


def _sets(paths: Paths) -> tuple[Coalitions, Integers]:
    distinct, which = np.unique(paths.presence, axis=0, return_inverse=True)
    return distinct, which.ravel()


def coalition_worth(paths: Paths, game: Game = "conversions", *, value: bool = False) -> Worth:
    """What a set of channels is worth: a function of coalitions (M, C) giving (M,).

    "conversions": those of journeys that touched no channel outside the set (Zhao, Mahboobi, Bagheri 2018,
    "Shapley value methods for attribution modeling in online advertising"); credit = each journey's
    conversions split evenly among its distinct channels.
    "rate": conversions per journey among those, times all journeys: lost journeys count, so a channel that is
    often touched in vain earns less, even below zero.
    """
    distinct, which = _sets(paths)
    won = totals(which, paths.value if value else paths.converted, len(distinct))
    seen = totals(which, paths.converted + paths.lost, len(distinct))
    members, everyone = distinct.astype(np.float64), float(seen.sum())

    def worth(coalitions: Coalitions) -> Floats:
        inside = (~coalitions).astype(np.float64) @ members.T == 0
        gained = inside @ won
        if game == "conversions":
            return gained
        journeys = inside @ seen
        return np.divide(gained * everyone, journeys, out=np.zeros_like(gained), where=journeys > 0)

    return worth


def exact(worth: Worth, channels: int) -> Shapley:
    """φ_i = Σ_S |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)) over all 2^n coalitions."""
    if channels > EXACT_UP_TO:
        raise UnfitData(
            f"exact: {channels} channels mean {2**channels:,} coalitions; at most {EXACT_UP_TO} are computed exactly. Use sampled()."
        )
    codes = np.arange(2**channels)
    coalitions = (codes[:, None] >> np.arange(channels)) & 1 == 1
    v = worth(coalitions)
    size = coalitions.sum(axis=1)
    chance = np.array([factorial(s) * factorial(channels - s - 1) / factorial(channels) for s in range(channels)])
    credit = np.zeros(channels)
    for channel in range(channels):
        without = codes[~coalitions[:, channel]]
        credit[channel] = (chance[size[without]] * (v[without | 1 << channel] - v[without])).sum()
    return Shapley(credit, np.zeros(channels))


def sampled(worth: Worth, channels: int, orders: int = 500, seed: int = 0) -> Shapley:
    """Average marginal worth over random orders, each used forwards and backwards to halve the noise.

    orders: how many pairs; the standard error is taken over pairs.
    """
    draw = np.random.default_rng(seed)
    gains = np.zeros((orders, channels))
    triangle = np.tri(channels + 1, channels, -1, dtype=np.bool_)
    for pair in range(orders):
        forwards = draw.permutation(channels)
        for order in (forwards, forwards[::-1]):
            growing = np.zeros((channels + 1, channels), dtype=np.bool_)
            growing[:, order] = triangle
            gains[pair, order] += np.diff(worth(growing)) / 2.0
    return Shapley(gains.mean(axis=0), gains.std(axis=0, ddof=1) / np.sqrt(orders))


def shapley(paths: Paths, game: Game = "conversions", *, value: bool = False, seed: int = 0) -> Shapley:
    """Exact up to 12 channels, sampled beyond."""
    worth = coalition_worth(paths, game, value=value)
    channels = len(paths.channels)
    return exact(worth, channels) if channels <= EXACT_UP_TO else sampled(worth, channels, seed=seed)
