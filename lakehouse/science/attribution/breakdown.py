"""Credit of any method, summed by campaign, day or whatever else is known of a touch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lakehouse.science.attribution import rules
from lakehouse.science.attribution.methods import METHODS
from lakehouse.science.attribution.paths import Floats, Paths, totals
from lakehouse.science.unfit import UnfitData


def to_touches(paths: Paths, channel_credit: Floats, *, value: bool = False) -> Floats:
    """(T,) a channel's credit spread over its touches in converting journeys, so that it can be summed by
    campaign and day.

    Within a channel touches share in proportion to the conversions (or value) of their journey divided by the
    journey's touches of that channel; sums per channel are those given. Credit of a channel without any
    converting touch cannot be placed and is lost here.
    """
    worth = paths.value if value else paths.converted
    raw = worth[paths.journey] / paths.counts()[paths.journey, paths.touch]
    total = totals(paths.touch, raw, len(paths.channels))
    scale = np.divide(channel_credit, total, out=np.zeros_like(total), where=total > 0)
    return raw * scale[paths.touch]


def break_down(paths: Paths, touches: pd.DataFrame, method: str, by: Sequence[str] = ("channel", "campaign", "day")) -> pd.DataFrame:
    """Conversions and value of a method per combination of `by`; sums per channel are the method's own.

    touches: one row per entry of paths.touch, in that order, with the columns `by` (`day` is made from `at`
    if it is missing). Rules credit touches directly; methods that credit channels are spread by `to_touches`.
    """
    if len(touches) != len(paths.touch):
        raise UnfitData(f"break_down: {len(touches)} rows for {len(paths.touch)} touches; pass Journeys.touches.")
    known = touches.assign(day=touches["at"].dt.date) if "day" in by and "day" not in touches else touches
    if missing := sorted(set(by) - set(known.columns)):
        raise UnfitData(f"break_down: touches lack {missing}; they have {', '.join(touches.columns)}.")
    if method in rules.RULES:
        weights = rules.RULES[method](paths)
        won, worth = weights * paths.converted[paths.journey], weights * paths.value[paths.journey]
    elif method in METHODS:
        won = to_touches(paths, METHODS[method](paths, False))
        worth = to_touches(paths, METHODS[method](paths, True), value=True)
    else:
        raise UnfitData(f"break_down: no method {method!r}. Valid: {', '.join(METHODS)}.")
    table = known[list(by)].reset_index(drop=True).assign(conversions=won, value=worth)
    return table.groupby(list(by), dropna=False, sort=True)[["conversions", "value"]].sum().reset_index()
