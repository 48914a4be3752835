"""Markov removal effects, solved exactly, for chains that remember one, two or three touches.

A journey is a walk start → touch → … → conversion or loss. A state is the last `order` touches. Removing a
channel sends every step onto it to loss; the removal effect is the part of conversions that this costs.

Anderl, Becker, von Wangenheim, Schumann (2016), "Mapping the customer journey: lessons learned from
graph-based online attribution modeling", Int. J. of Research in Marketing 33(3), 457–474.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from lakehouse.science.attribution.paths import Floats, Integers, Paths, totals
from lakehouse.science.unfit import UnfitData


@dataclass(frozen=True)
class Transitions:
    """Counts of steps, small enough to be summed anywhere (a data frame, Spark) and solved here.

    A state's code is Σ (channel + 1)·(C + 1)^i over its touches, newest first; 0 is the start.

    source, target, weight: (M,) steps between states
    state, converted, value, lost: (S,) the state in which journeys ended, and how
    """

    channels: tuple[str, ...]
    order: int
    source: Integers
    target: Integers
    weight: Floats
    state: Integers
    converted: Floats
    value: Floats
    lost: Floats


def state_codes(paths: Paths, order: int) -> Integers:
    """(T,) the state a journey is in after each touch."""
    if order not in (1, 2, 3):
        raise UnfitData(f"order = {order}: a chain here remembers 1, 2 or 3 touches.")
    base = len(paths.channels) + 1
    if float(base) ** (2 * order) > 2.0**62:
        raise UnfitData(f"{base - 1} channels are too many for order {order}: group campaigns into channels.")
    place = paths.position
    code = np.zeros(len(paths.touch), dtype=np.int64)
    for back in range(order):
        earlier = np.concatenate([np.zeros(back, dtype=np.int64), paths.touch + 1])[: len(paths.touch)]
        code += np.where(place >= back, earlier, 0) * base**back
    return code


def _summed(key: Integers, weight: Floats, keys: int) -> tuple[Integers, Floats]:
    """The distinct keys and the sum of weights of each; without sorting where all keys fit a table."""
    if keys <= 5_000_000:
        table = totals(key, weight, keys)
        found = np.flatnonzero(table)
        return found, table[found]
    distinct, which = np.unique(key, return_inverse=True)
    return distinct, totals(which, weight, len(distinct))


def count_transitions(paths: Paths, order: int = 1) -> Transitions:
    """Sum the steps of all journeys, lost ones included."""
    code = state_codes(paths, order)
    before = np.concatenate([np.zeros(1, dtype=np.int64), code[:-1]])
    before = np.where(paths.position == 0, 0, before)
    weight = (paths.converted + paths.lost)[paths.journey]
    codes = (len(paths.channels) + 1) ** order
    steps, summed = _summed(before * codes + code, weight, codes**2)
    ends, end = np.unique(code[paths.start[1:] - 1], return_inverse=True)
    return Transitions(
        channels=paths.channels,
        order=order,
        source=steps // codes,
        target=steps % codes,
        weight=summed,
        state=ends,
        converted=totals(end, paths.converted, len(ends)),
        value=totals(end, paths.value, len(ends)),
        lost=totals(end, paths.lost, len(ends)),
    )


@dataclass(frozen=True)
class Removal:
    """What each channel is worth to the chain.

    base:   conversions (or value) expected per journey started
    effect: (C,) 1 − (what is left without the channel) / base, between 0 and 1
    share:  (C,) effects scaled to sum to one
    """

    channels: tuple[str, ...]
    base: float
    effect: Floats
    share: Floats


def removal_effects(steps: Transitions, *, value: bool = False) -> Removal:
    """Solve (I − Q) h = r once for the whole chain and once without each channel.

    Q (S, S) holds the probabilities of steps between states, r (S,) the probability (or the expected value)
    of converting right after a state. Exact: no walks are simulated, so nothing depends on a seed.
    """
    codes = np.unique(np.concatenate([[0], steps.source, steps.target, steps.state]))
    size = len(codes)
    source, target, end = (np.searchsorted(codes, part) for part in (steps.source, steps.target, steps.state))
    left = totals(source, steps.weight, size) + totals(end, steps.converted + steps.lost, size)
    left = np.where(left > 0, left, 1.0)
    reward = totals(end, steps.value if value else steps.converted, size) / left
    probability = steps.weight / left[source]
    newest = codes % (len(steps.channels) + 1) - 1

    def start_worth(keep: Integers) -> float:
        inner = sparse.csc_matrix((probability[keep], (source[keep], target[keep])), shape=(size, size))
        return float(splu(sparse.identity(size, format="csc") - inner).solve(reward)[0])

    base = start_worth(np.arange(len(source)))
    if base <= 0:
        raise UnfitData("removal_effects: no journey converted, so no channel can be credited. Widen the period.")
    effect = np.array([1.0 - start_worth(np.flatnonzero(newest[target] != channel)) / base for channel in range(len(steps.channels))])
    # A channel nobody passed through before converting leaves rounding noise around zero.
    effect = np.clip(effect, 0.0, 1.0)
    return Removal(steps.channels, base, effect, effect / effect.sum())


def markov(paths: Paths, order: int = 1, *, value: bool = False) -> Floats:
    """(C,) conversions (or value) per channel: the observed total, shared in proportion to removal
    effects."""
    total = float((paths.value if value else paths.converted).sum())
    return removal_effects(count_transitions(paths, order), value=value).share * total
