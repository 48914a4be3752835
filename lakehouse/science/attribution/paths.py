"""Customer journeys as flat arrays: the form every attribution method here reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def totals(group: Integers, weight: Floats, groups: int) -> Floats:
    """(groups,) sums of `weight` by the group each entry is in."""
    return np.bincount(group, weight, groups).astype(np.float64)


@dataclass(frozen=True)
class Paths:
    """J journeys of T touches in all, over C channels.

    A row may stand for many journeys along the same touches: `converted`, `value` and `lost` are sums over
    them.

    channels:  (C,) names, sorted
    touch:     (T,) index into `channels`, in the order of time within a journey
    start:     (J + 1,) where each journey begins in `touch`; the last entry is T
    converted: (J,) journeys that ended in a conversion (a count, or a bootstrap weight)
    value:     (J,) what those conversions were worth, in the currency of the input
    lost:      (J,) journeys that ended without one
    customer:  (J,) which customer, or None where rows are sums over customers
    age:       (T,) days from the touch to the end of its journey, or None where unknown
    """

    channels: tuple[str, ...]
    touch: Integers
    start: Integers
    converted: Floats
    value: Floats
    lost: Floats
    customer: Integers | None = None
    age: Floats | None = None

    def __post_init__(self) -> None:
        journeys = len(self.start) - 1
        sizes = {"converted": len(self.converted), "value": len(self.value), "lost": len(self.lost)}
        wrong = {name: size for name, size in sizes.items() if size != journeys}
        if wrong:
            raise UnfitData(f"Paths has {journeys} journeys but {wrong}: give one number per journey.")
        if journeys and int(self.length.min()) < 1:
            raise UnfitData("Paths holds a journey without touches: count it as unattributed instead of passing it.")

    @property
    def length(self) -> Integers:
        """(J,) touches of each journey."""
        return np.diff(self.start)

    @property
    def journey(self) -> Integers:
        """(T,) which journey a touch belongs to."""
        return np.repeat(np.arange(len(self.converted), dtype=np.int64), self.length)

    @property
    def position(self) -> Integers:
        """(T,) 0 for the first touch of a journey, 1 for the second, …"""
        return np.arange(len(self.touch), dtype=np.int64) - np.repeat(self.start[:-1], self.length)

    @property
    def presence(self) -> npt.NDArray[np.bool_]:
        """(J, C) whether a journey touched a channel at all."""
        seen = np.zeros((len(self.converted), len(self.channels)), dtype=np.bool_)
        seen[self.journey, self.touch] = True
        return seen

    def counts(self) -> Floats:
        """(J, C) how often a journey touched each channel."""
        width = len(self.channels)
        flat = np.bincount(self.journey * width + self.touch, minlength=len(self.converted) * width)
        return flat.reshape(len(self.converted), width).astype(np.float64)

    def weighted(self, weight: Floats) -> Paths:
        """The same journeys, each counted `weight` (J,) times."""
        return replace(
            self,
            converted=self.converted * weight,
            value=self.value * weight,
            lost=self.lost * weight,
        )


def from_text(
    texts: Iterable[str],
    converted: Sequence[float] | Floats,
    value: Sequence[float] | Floats | None = None,
    lost: Sequence[float] | Floats | None = None,
    separator: str = " > ",
) -> Paths:
    """Journeys written as text, `"search > email > search"`, one per row with its counts.

    Without `value` a conversion is worth 1; without `lost` no journey was lost.
    """
    split = [text.split(separator) for text in texts]
    channels = tuple(sorted({channel for path in split for channel in path}))
    index = {channel: place for place, channel in enumerate(channels)}
    counts = np.asarray(converted, dtype=np.float64)
    return Paths(
        channels=channels,
        touch=np.array([index[channel] for path in split for channel in path], dtype=np.int64),
        start=np.concatenate([[0], np.cumsum([len(path) for path in split])]).astype(np.int64),
        converted=counts,
        value=counts.copy() if value is None else np.asarray(value, dtype=np.float64),
        lost=np.zeros_like(counts) if lost is None else np.asarray(lost, dtype=np.float64),
    )
