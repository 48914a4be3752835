"""What is known of channels' effects, source by source, and what of it may be counted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lakehouse.science.joint.places import PlaceStudy
from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Mix:
    """A media mix posterior of the logarithm of each channel's effect in a period: mean (C,), covariance (C, C).

    studies: experiments in its likelihood already.
    """

    channels: tuple[str, ...]
    mean: Floats
    covariance: Floats
    studies: tuple[str, ...] = ()

    @classmethod
    def of(cls, channels: Sequence[str], totals: Floats, studies: Sequence[str] = ()) -> Mix:
        """From draws of the channels' totals (S, C), all above zero."""
        if totals.shape[1:] != (len(channels),) or not (totals > 0).all():
            raise UnfitData(f"Mix: draws of shape {totals.shape} for {len(channels)} channels; give (S, C), every value above 0.")
        logs = np.log(totals)
        return cls(tuple(channels), logs.mean(axis=0), np.atleast_2d(np.cov(logs.T)), tuple(studies))


@dataclass(frozen=True)
class Study:
    """An experiment: `effect` ± `error` is what it found of `part` of the channel's effect (1: all of it, e.g. a holdout over
    the whole period; 0.05: it varied spending that brings a twentieth). seen: share of conversions its measurement sees."""

    name: str
    channel: str
    effect: float
    error: float
    part: float = 1.0
    seen: float = 1.0


@dataclass(frozen=True)
class Attributed:
    """What attribution credits to a channel over the period, in the effect's unit; error: relative standard error.
    seen: share of conversions with identity, consent and a known journey."""

    channel: str
    credit: float
    error: float = 0.05
    seen: float = 1.0


def counted_once(mix: Mix, studies: Collection[Study], attributed: Collection[Attributed], placed: Collection[PlaceStudy] = ()) -> None:
    """Refuse evidence that names no channel of the mix, is impossible, or is counted already."""
    tests: list[Study | PlaceStudy] = [*studies, *placed]
    names = [s.name for s in tests]
    twice = sorted({n for n in names if names.count(n) > 1} | (set(names) & set(mix.studies)))
    if twice:
        raise UnfitData(f"joint: {', '.join(twice)} would count twice; a study is in the media mix or beside it, once.")
    strange = sorted(({s.channel for s in tests} | {a.channel for a in attributed}) - set(mix.channels))
    if strange:
        raise UnfitData(f"joint: no channel {', '.join(strange)}; the media mix has {', '.join(mix.channels)}.")
    wrong = [s.name for s in studies if not (s.error > 0 and s.part > 0 and 0 < s.seen <= 1)]
    wrong += [s.name for s in placed if not (s.error > 0 and s.parts and min(s.parts.values()) > 0 and 0 < s.seen <= 1)]
    wrong += [a.channel for a in attributed if not (a.credit > 0 and a.error > 0 and 0 < a.seen <= 1)]
    if wrong:
        raise UnfitData(f"joint: {', '.join(wrong)}: errors, parts and credit must be above 0, `seen` above 0 and at most 1.")
