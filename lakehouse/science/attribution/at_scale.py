"""Attribution of more touches than one machine holds: credit of touches part by part, credit of channels from counted paths.

A journey is whole within its part. Rules credit touches where they are; Markov, Shapley and the logistic challenger credit
channels from distinct paths with their counts, which are far fewer than touches, and that credit is then spread over the
touches of the channel as `breakdown.to_touches` does. Both together give what `break_down` gives on everything at once.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lakehouse.science.attribution import rules
from lakehouse.science.attribution.methods import METHODS
from lakehouse.science.attribution.order_choice import choose_order
from lakehouse.science.attribution.paths import Paths, from_text
from lakehouse.science.unfit import UnfitData

BY = ["channel", "campaign", "day"]
EVENLY = "evenly"
BY_CHANNEL = tuple(name for name in METHODS if name not in rules.RULES)
SEPARATOR = " > "


def in_order(touches: pd.DataFrame) -> Paths:
    """Journeys from one row per touch: `journey`, `position`, `channel`, `days_before_end` and, the same on each touch of a
    journey, `conversions` and `value`. The rows must be sorted by journey and position."""
    start = np.flatnonzero(touches["journey"].ne(touches["journey"].shift()).to_numpy())
    head = touches.iloc[start]
    names, touch = np.unique(touches["channel"].astype(str).to_numpy(), return_inverse=True)
    won = head["conversions"].to_numpy(dtype=np.float64)
    return Paths(
        channels=tuple(str(name) for name in names),
        touch=touch.astype(np.int64),
        start=np.concatenate([start, [len(touches)]]).astype(np.int64),
        converted=won,
        value=head["value"].to_numpy(dtype=np.float64),
        lost=np.asarray(won == 0, dtype=np.float64),
        age=touches["days_before_end"].to_numpy(dtype=np.float64),
    )


def credit_touches(touches: pd.DataFrame) -> pd.DataFrame:
    """One part's touches (as `in_order`, with `campaign` and `day`) → `method`, `channel`, `campaign`, `day`, `conversions`,
    `value`: every rule, and EVENLY, a conversion counted once for each of its channels, which places channels' credit."""
    known = touches.sort_values(["journey", "position"], kind="stable", ignore_index=True)
    paths = in_order(known)
    shares = {name: rule(paths) for name, rule in rules.RULES.items()}
    shares[EVENLY] = 1.0 / paths.counts()[paths.journey, paths.touch]
    parts = []
    for name, share in shares.items():
        won, worth = share * paths.converted[paths.journey], share * paths.value[paths.journey]
        summed = known[BY].assign(conversions=won, value=worth).groupby(BY, dropna=False, sort=True).sum().reset_index()
        summed.insert(0, "method", name)
        parts.append(summed[(summed["conversions"] > 0) | (summed["value"] != 0)])
    return pd.concat(parts, ignore_index=True)


def by_channel(paths: Paths) -> pd.DataFrame:
    """`method`, `channel`, `conversions`, `value` by each of BY_CHANNEL, without those that these journeys teach nothing: the
    logistic challenger needs lost journeys too. At least one journey must have converted."""
    parts = []
    for name in BY_CHANNEL:
        try:
            won, worth = METHODS[name](paths, False), METHODS[name](paths, True)
        except UnfitData:
            continue
        parts.append(pd.DataFrame({"method": name, "channel": paths.channels, "conversions": won, "value": worth}))
    return pd.concat(parts, ignore_index=True)


def credit_channels(counted: pd.DataFrame) -> pd.DataFrame:
    """Distinct paths (`path` with SEPARATOR between channels, `conversions`, `value`, `lost`) → `method`, `channel`,
    `conversions`, `value`, `is_chosen`: of the Markov chains the one whose memory foresees held-out journeys best, of the
    other methods always. Nothing where no journey converted, nor by a method that learns nothing where all did."""
    columns = ["method", "channel", "conversions", "value", "is_chosen"]
    known = counted.sort_values("path", ignore_index=True)
    if not len(known) or known["conversions"].sum() <= 0:
        return pd.DataFrame(columns=columns)
    won, worth, lost = (known[name].to_numpy(dtype=np.float64) for name in ("conversions", "value", "lost"))
    paths = from_text(known["path"], won, worth, lost, SEPARATOR)
    chosen = f"markov_{choose_order(paths).order}"
    found = by_channel(paths)
    return found.assign(is_chosen=~found["method"].str.startswith("markov_") | (found["method"] == chosen))[columns]
