"""What each experiment did to the answer, and whether it contradicts the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lakehouse.science.media_mix.lift import LiftTest, rows
from lakehouse.science.media_mix.response import lifts
from lakehouse.science.media_mix.sampling import Contract, Effort, Posterior, sample


def data_alone(calibrated: Posterior, effort: Effort | None = None, contract: Contract | None = None) -> Posterior:
    """The same model without the tests' evidence; compiled already."""
    return sample(calibrated.setting.untested(), effort, contract)


def pull(tests: Sequence[LiftTest], alone: Posterior, calibrated: Posterior, threshold: float = 2.0) -> pd.DataFrame:
    """One row per test: the lift by the data alone, by the test alone, by both, all in the target's unit.

    pull: (both − data) ÷ (test − data), 0 where the data prevailed, 1 where the test did. apart: (data − test) ÷ √(their
    variances); beyond `threshold` in size it is flagged as a conflict: one of the two measures something else, and averaging
    them hides it.
    """
    data = calibrated.setting.data
    evidence = rows(data, tests, calibrated.setting.lags)
    before, after = lifts(alone, evidence), lifts(calibrated, evidence)
    measured, error = np.array([t.lift for t in tests]), np.array([t.error for t in tests])
    expected, spread = before.mean(axis=0), before.std(axis=0)
    apart = (expected - measured) / np.hypot(spread, error)
    gap = measured - expected
    return pd.DataFrame(
        {
            "test": [t.label for t in tests],
            "channel": [t.channel for t in tests],
            "data": expected,
            "data_error": spread,
            "measured": measured,
            "measured_error": error,
            "both": after.mean(axis=0),
            "both_error": after.std(axis=0),
            "pull": (after.mean(axis=0) - expected) / np.where(gap == 0, np.nan, gap),
            "apart": apart,
            "conflict": np.abs(apart) > threshold,
        }
    )
