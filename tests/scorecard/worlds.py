"""Markets whose truth is known: what the models see, what each channel really brought, and what another plan would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lakehouse.science.media_mix.data import MediaData
from lakehouse.science.media_mix.lift import LiftTest

Floats = npt.NDArray[np.float64]
Response = Callable[[Floats], Floats]
TEST_WEEKS, TEST_ERROR = 4, 0.15


@dataclass(frozen=True)
class World:
    """truth (T, C): contributions. respond: spend (T', C) from the beginning of time → contributions (T', C), the effects of
    the last known week staying as they are."""

    name: str
    seed: int
    data: MediaData
    truth: Floats
    respond: Response
    tests: tuple[LiftTest, ...]

    def untested(self) -> tuple[LiftTest, ...]:
        """The tests without weight, so that one compiled model serves both."""
        vast = 1e9 * self.data.unit
        return tuple(LiftTest(t.channel, t.start, t.added, t.lift, vast) for t in self.tests)


def world(
    name: str,
    seed: int,
    spend: Floats,
    names: Sequence[str],
    baseline: Floats,
    controls: pd.DataFrame,
    respond: Response,
    random: np.random.Generator,
) -> World:
    """Put together: weekly data, truth, and one lift test per channel (four weeks of half its usual active spend more, at a
    moment spread over the second half of the data; standard error 15 % of the true lift)."""
    weeks, channels = spend.shape
    truth = respond(spend)
    tests = []
    for i in range(channels):
        start = weeks // 2 + i * (weeks // 2 - TEST_WEEKS - 1) // channels
        added = 0.5 * float(spend[spend[:, i] > 0, i].mean())
        more = spend.copy()
        more[start : start + TEST_WEEKS, i] += added
        window = slice(start, start + TEST_WEEKS)
        true = float((respond(more) - truth)[window, i].sum())
        error = TEST_ERROR * true
        tests.append(LiftTest(names[i], start, (added,) * TEST_WEEKS, true + error * random.normal(), error))
    data = MediaData(
        pd.date_range("2022-01-03", periods=weeks, freq="7D"),
        (baseline + truth.sum(axis=1))[:, None],
        spend[:, None, :],
        controls.to_numpy(dtype=np.float64)[:, None, :],
        tuple(names),
        control_names=tuple(controls.columns),
    )
    return World(name, seed, data, truth, respond, tuple(tests))
