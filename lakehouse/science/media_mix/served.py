"""A fitted media mix as tables ask it: numbers in, one row per question out; and the budget it would give."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lakehouse.science.media_mix.mix import MediaMix
from lakehouse.science.media_mix.outcomes import returns, weekly_contributions
from lakehouse.science.media_mix.proposal import COLUMNS, coming_weeks

QUESTIONS = ("channel_code", "days_since_1970")
LAST = ("contribution", "contribution_low", "contribution_high")
RETURNS = ("roas", "roas_low", "roas_high", "marginal_roas", "marginal_roas_low", "marginal_roas_high")
MEDIA = ("effect", "ceiling", "strength_geo", "half", "slope", "retention", "peak", "memory_shape", "memory_scale")
"""Parameters that contributions depend on."""
DRAWS = 240


def code(channel: str) -> float:
    """A channel's number for a table that takes numbers: Spark's crc32 of its name."""
    return float(zlib.crc32(channel.encode()))


def _small(mix: MediaMix) -> MediaMix:
    """The mix with as many draws as a plan reads, and of media's parameters only."""
    count = sum(part.count for part in mix.parts)
    thin = [part.thinned(max(1, round(DRAWS * part.count / count))) for part in mix.parts]
    parts = tuple(replace(one, draws={name: one.draws[name] for name in MEDIA if name in one.draws}) for one in thin)
    return MediaMix(mix.data, parts, np.array([part.count / count for part in mix.parts]), parts)


@dataclass(frozen=True)
class ServedMix:
    """answers: channel_code, days_since_1970, LAST in the target's unit, and RETURNS of the channel over the whole time.

    mix: what plans are computed from; None in versions kept before there were plans.
    """

    answers: pd.DataFrame
    mix: MediaMix | None = None

    @classmethod
    def of(cls, mix: MediaMix) -> ServedMix:
        """All answers of a mix, computed once."""
        weeks = weekly_contributions(mix).rename(columns=dict(zip(("mean", "low", "high"), LAST, strict=True)))
        weeks = weeks.merge(returns(mix)[["channel", *RETURNS]], on="channel")
        days = (weeks["date"] - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
        answers = weeks.assign(channel_code=weeks["channel"].map(code), days_since_1970=days)[[*QUESTIONS, *LAST, *RETURNS]]
        return cls(answers, _small(mix))

    def table(self, features: pd.DataFrame) -> pd.DataFrame:
        """One row per row of `features` (QUESTIONS), in their order; what the mix was not fitted on stays missing."""
        found = features.merge(self.answers, on=list(QUESTIONS), how="left")
        return found[[*LAST, *RETURNS]].replace({np.nan: None}).astype(float)

    def plan(self, daily: pd.DataFrame, **limits: Any) -> pd.DataFrame:
        """The budget of the coming weeks, `coming_weeks` with its limits; no row from a version kept before there were plans."""
        return pd.DataFrame(columns=list(COLUMNS)) if self.mix is None else coming_weeks(self.mix, daily, **limits)
