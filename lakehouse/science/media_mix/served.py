"""A fitted media mix as tables ask it: numbers in, one row per question out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lakehouse.science.media_mix.mix import MediaMix
from lakehouse.science.media_mix.outcomes import returns, weekly_contributions

QUESTIONS = ("channel_code", "days_since_1970")
LAST = ("contribution", "contribution_low", "contribution_high")
RETURNS = ("roas", "roas_low", "roas_high", "marginal_roas", "marginal_roas_low", "marginal_roas_high")


def code(channel: str) -> float:
    """A channel's number for a table that takes numbers: Spark's crc32 of its name."""
    return float(zlib.crc32(channel.encode()))


@dataclass(frozen=True)
class ServedMix:
    """answers: channel_code, days_since_1970, LAST in the target's unit, and RETURNS of the channel over the whole time."""

    answers: pd.DataFrame

    @classmethod
    def of(cls, mix: MediaMix) -> ServedMix:
        """All answers of a mix, computed once."""
        weeks = weekly_contributions(mix).rename(columns=dict(zip(("mean", "low", "high"), LAST, strict=True)))
        weeks = weeks.merge(returns(mix)[["channel", *RETURNS]], on="channel")
        days = (weeks["date"] - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
        return cls(weeks.assign(channel_code=weeks["channel"].map(code), days_since_1970=days)[[*QUESTIONS, *LAST, *RETURNS]])

    def table(self, features: pd.DataFrame) -> pd.DataFrame:
        """One row per row of `features` (QUESTIONS), in their order; what the mix was not fitted on stays missing."""
        found = features.merge(self.answers, on=list(QUESTIONS), how="left")
        return found[[*LAST, *RETURNS]].replace({np.nan: None}).astype(float)
