"""From touches and conversions to journeys: cut at each conversion, bounded by a look-back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lakehouse.science.attribution.paths import Paths
from lakehouse.science.unfit import UnfitData


@dataclass(frozen=True)
class ChannelRule:
    """A channel and what its touches look like: a pattern (searched, case ignored) per column; all must
    hold."""

    channel: str
    patterns: dict[str, str] = field(default_factory=dict)


def name_channels(touches: pd.DataFrame, rules: Sequence[ChannelRule], otherwise: str = "other") -> pd.Series:
    """The channel of each touch: the first rule that fits, else `otherwise`. A missing text reads as
    empty."""
    channel = pd.Series(otherwise, index=touches.index, dtype=object)
    for rule in reversed(rules):
        missing = sorted(set(rule.patterns) - set(touches.columns))
        if missing:
            raise UnfitData(f"channel rule {rule.channel!r} reads {missing}; touches have {', '.join(touches.columns)}.")
        fits = pd.Series(True, index=touches.index)
        for column, pattern in rule.patterns.items():
            text = touches[column].fillna("").astype(str)
            fits &= text.str.contains(pattern, flags=re.IGNORECASE, regex=True)
        channel[fits] = rule.channel
    return channel


@dataclass(frozen=True)
class Journeys:
    """paths, with one row of `touches` per entry of paths.touch (the same order: sum credit by its columns).

    unattributed: conversions without any touch in the look-back; value: what they were worth
    """

    paths: Paths
    touches: pd.DataFrame
    unattributed: int
    unattributed_value: float


def build_journeys(touches: pd.DataFrame, conversions: pd.DataFrame, lookback_days: float = 30.0, *, keep_open: bool = True) -> Journeys:
    """Give every touch to the customer's next conversion, or to a lost journey.

    touches: `customer`, `at` (timestamp), `channel`, any further columns. conversions: `customer`, `at`,
    `value`. A touch belongs to the first conversion at or after it if that came within the look-back; older
    ones, and those after the last conversion, form journeys without a conversion, cut where the gap exceeds
    the look-back. keep_open=False drops journeys whose last touch is less than a look-back before the end of
    the data: they may still convert.
    """
    for name, frame, needed in (
        ("touches", touches, {"customer", "at", "channel"}),
        ("conversions", conversions, {"customer", "at", "value"}),
    ):
        if missing := sorted(needed - set(frame.columns)):
            raise UnfitData(f"build_journeys: {name} lack {missing}; they have {', '.join(frame.columns)}.")
    lookback = pd.Timedelta(days=lookback_days)
    # Sources differ in the unit of their clocks (Spark microseconds, pandas nanoseconds); a join needs one.
    touches, conversions = (frame.assign(at=frame["at"].dt.as_unit("ns")) for frame in (touches, conversions))
    won = conversions.sort_values("at", kind="stable").reset_index(drop=True)
    won = won.assign(conversion=np.arange(len(won)), conversion_at=won["at"])
    seen = pd.merge_asof(
        touches.sort_values("at", kind="stable"),
        won[["customer", "at", "conversion", "conversion_at", "value"]],
        on="at",
        by="customer",
        direction="forward",
    )
    late = seen["conversion"].notna() & (seen["conversion_at"] - seen["at"] > lookback)
    seen["lost"] = seen["conversion"].isna() | late
    seen = seen.sort_values(["customer", "at"], kind="stable").reset_index(drop=True)
    previous = seen.shift()
    begins = (
        (seen["customer"] != previous["customer"])
        | (seen["conversion"].fillna(-1) != previous["conversion"].fillna(-1))
        | (seen["lost"] != previous["lost"])
        | (seen["lost"] & (seen["at"] - previous["at"] > lookback))
    )
    seen["journey"] = begins.cumsum()
    if not keep_open and len(seen):
        end = max(seen["at"].max(), won["at"].max()) if len(won) else seen["at"].max()
        last = seen.groupby("journey")["at"].transform("max")
        seen = seen[~(seen["lost"] & (end - last < lookback))].reset_index(drop=True)
    reached = won["conversion"].isin(seen.loc[~seen["lost"], "conversion"])
    return Journeys(_to_paths(seen), seen, int((~reached).sum()), float(won.loc[~reached, "value"].astype(float).sum()))


def _to_paths(seen: pd.DataFrame) -> Paths:
    starts = np.flatnonzero(seen["journey"].ne(seen["journey"].shift()).to_numpy())
    head = seen.iloc[starts]
    won = np.where(head["lost"].to_numpy(dtype=np.bool_), 0.0, 1.0).astype(np.float64)
    names, touch = np.unique(seen["channel"].astype(str).to_numpy(), return_inverse=True)
    quiet = seen.groupby("journey")["at"].transform("max")
    end = seen["conversion_at"].where(~seen["lost"].astype(bool), quiet)
    return Paths(
        channels=tuple(str(name) for name in names),
        touch=touch.astype(np.int64),
        start=np.concatenate([starts, [len(seen)]]).astype(np.int64),
        converted=won,
        value=np.nan_to_num(head["value"].to_numpy(dtype=np.float64)) * won,
        lost=np.asarray(1.0 - won, dtype=np.float64),
        customer=pd.factorize(head["customer"])[0].astype(np.int64),
        age=np.asarray((end - seen["at"]).dt.total_seconds() / 86400.0, dtype=np.float64),
    )
