"""Rules that share a conversion among the touches before it, by their place or age alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lakehouse.science.attribution.paths import Floats, Paths, totals
from lakehouse.science.unfit import UnfitData


def first(paths: Paths) -> Floats:
    """(T,) everything to the first touch."""
    return (paths.position == 0).astype(np.float64)


def last(paths: Paths) -> Floats:
    """(T,) everything to the last touch."""
    return (paths.position == np.repeat(paths.length, paths.length) - 1).astype(np.float64)


def linear(paths: Paths) -> Floats:
    """(T,) the same to every touch: 1/n."""
    return 1.0 / np.repeat(paths.length, paths.length)


def position(paths: Paths, ends: float = 0.4) -> Floats:
    """(T,) `ends` to the first and to the last touch, the rest evenly between them (40/20/40).

    One touch gets all; two get half each.
    """
    if not 0 <= ends <= 0.5:
        raise UnfitData(f"position: ends = {ends} is the share of each end: give 0 to 0.5.")
    length = np.repeat(paths.length, paths.length)
    at_end = (paths.position == 0) | (paths.position == length - 1)
    inside = (1.0 - 2.0 * ends) / np.maximum(length - 2, 1)
    share = np.where(at_end, ends, inside)
    return np.where(length == 1, 1.0, np.where(length == 2, 0.5, share))


def time_decay(paths: Paths, half_life: float = 7.0) -> Floats:
    """(T,) halved for every `half_life` days before the end, then scaled to one per journey.

    w ∝ 2^(-age / half_life). Where ages are unknown, the distance in touches from the end stands for days.
    """
    if half_life <= 0:
        raise UnfitData(f"time_decay: half_life = {half_life} days: give a number above 0.")
    steps = np.repeat(paths.length, paths.length) - 1 - paths.position
    age = steps.astype(np.float64) if paths.age is None else paths.age
    # Relative to the youngest touch of the journey, so that very old journeys do not underflow to 0/0.
    youngest = np.minimum.reduceat(age, paths.start[:-1]) if len(age) else age
    raw = np.exp2(-(age - np.repeat(youngest, paths.length)) / half_life)
    return raw / np.repeat(totals(paths.journey, raw, len(paths.converted)), paths.length)


RULES: dict[str, Callable[[Paths], Floats]] = {
    "first": first,
    "last": last,
    "linear": linear,
    "position": position,
    "time_decay": time_decay,
}


def credit(paths: Paths, weights: Floats, *, value: bool = False) -> Floats:
    """(C,) conversions (or their value) per channel, given each touch's share `weights` (T,)."""
    worth = paths.value if value else paths.converted
    return totals(paths.touch, weights * worth[paths.journey], len(paths.channels))
