"""Experiments as evidence for the model: what a test added, when, where, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lakehouse.science.media_mix.adstock import lagged
from lakehouse.science.media_mix.data import MediaData
from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
SILENT = 1e6


@dataclass(frozen=True)
class LiftTest:
    """A test on one channel during periods start … start + len(added) − 1 of the data (counted from 0).

    added (P,): spend the test added per period over the tested geographies, compared with what would have been spent;
    negative where advertising was switched off. included: whether the data's spend is the one with the test in it.
    lift, error: target gained in all, during the test and `after` periods beyond it, with standard error.
    """

    channel: str
    start: int
    added: tuple[float, ...]
    lift: float
    error: float
    geos: tuple[str, ...] = ()
    after: int = 0
    included: bool = False
    name: str = ""

    @property
    def label(self) -> str:
        """Name for reports."""
        return self.name or f"{self.channel} from period {self.start}"


@dataclass(frozen=True)
class LiftRows:
    """One row per test and geography: media and its past with and without the test, (N, W, L) in the model's unit; counted
    (N, W) periods that count; channel, geo (N,); size (N,); test (M, N) which rows make up which test; lift, error (M,) in
    the model's unit."""

    with_test: Floats
    without: Floats
    counted: Floats
    channel: Integers
    geo: Integers
    size: Floats
    test: Floats
    lift: Floats
    error: Floats

    def silent(self) -> LiftRows:
        """The same tests without weight: for what the data say alone."""
        return replace(self, error=np.full_like(self.error, SILENT))


def no_tests(lags: int) -> LiftRows:
    """A test without weight, so that a model with tests serves data without."""
    media, one = np.zeros((1, 1, lags)), np.ones(1)
    index = np.zeros(1, dtype=np.int64)
    return LiftRows(media, media, np.ones((1, 1)), index, index, one, np.ones((1, 1)), np.zeros(1), one * SILENT)


def _check(data: MediaData, test: LiftTest) -> None:
    last = test.start + len(test.added)
    if test.channel not in data.channels:
        raise UnfitData(f"lift test {test.label}: no channel {test.channel!r}; there are {', '.join(data.channels)}.")
    unknown = set(test.geos) - set(data.geos)
    if unknown:
        raise UnfitData(f"lift test {test.label}: no geography {', '.join(sorted(unknown))}; there are {', '.join(data.geos)}.")
    if test.start < 0 or not test.added or last + test.after > len(data.dates):
        raise UnfitData(
            f"lift test {test.label}: periods {test.start} to {last + test.after - 1} are not within 0 to {len(data.dates) - 1}; "
            "use its dates' positions in the data, or give it as a prior (from_experiments)."
        )
    if test.error <= 0 or not np.any(test.added):
        raise UnfitData(f"lift test {test.label}: error {test.error} must be above 0, and something must have been added.")


def rows(data: MediaData, tests: Sequence[LiftTest], lags: int) -> LiftRows:
    """The tests as the model reads them. Added spend is shared among geographies by size; spend never falls below zero."""
    if not tests:
        return no_tests(lags)
    window = max(len(test.added) + test.after for test in tests)
    found: list[tuple[Floats, Floats, Floats, int, int, int]] = []
    for number, test in enumerate(tests):
        _check(data, test)
        channel = data.channels.index(test.channel)
        places = [data.geos.index(name) for name in test.geos or data.geos]
        share = data.size[places] / data.size[places].sum()
        for place, part in zip(places, share, strict=True):
            seen = data.spend[:, place, channel]
            other = seen.copy()
            other[test.start : test.start + len(test.added)] += np.asarray(test.added) * part * (-1 if test.included else 1)
            other = np.maximum(other, 0.0)
            past = None if data.before is None else data.before[:, place, channel]
            scale = data.size[place] * data.reference[channel]
            views = [lagged(each, lags, past)[test.start : test.start + window] / scale for each in (seen, other)]
            views = [np.concatenate([view, np.zeros((window - len(view), lags))]) for view in views]
            counted = (np.arange(window) < len(test.added) + test.after).astype(np.float64)
            with_test, without = views if test.included else views[::-1]
            found.append((with_test, without, counted, channel, place, number))
    geo = np.array([row[4] for row in found], dtype=np.int64)
    return LiftRows(
        np.stack([row[0] for row in found]),
        np.stack([row[1] for row in found]),
        np.stack([row[2] for row in found]),
        np.array([row[3] for row in found], dtype=np.int64),
        geo,
        data.size[geo],
        np.array([[float(row[5] == number) for row in found] for number in range(len(tests))]),
        np.array([test.lift for test in tests]) / data.unit,
        np.array([test.error for test in tests]) / data.unit,
    )
