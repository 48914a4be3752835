"""The budget of the coming weeks as a table: from what was spent day by day to what to spend, in whole cents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from lakehouse.science.media_mix.budget import allocate
from lakehouse.science.media_mix.mix import MediaMix
from lakehouse.science.media_mix.plan import Budget
from lakehouse.science.media_mix.weeks import whole_weeks

Floats = npt.NDArray[np.float64]
FIGURES = ("response", "extra_response", "marginal_roas", "in_flight", "left_on_table")
_ENDS = ("", "_low", "_high")
COLUMNS = (
    "channel", "starts_on", "current_spend", "recommended_spend", "least", "most", "total",
    *(f"{name}{end}" for name in FIGURES for end in _ENDS),
)  # fmt: skip


def brought_up_to(mix: MediaMix, spend: pd.DataFrame, revenue: pd.Series) -> MediaMix:
    """The mix with the whole weeks after those it was fitted on: money spent since then is in flight, too. Its posterior stays.

    spend (weeks × channels) and revenue by week's Monday, as `whole_weeks` gives them; a week that is missing there counts as none spent.
    """
    data = mix.data
    step = data.dates[1] - data.dates[0]
    later = pd.date_range(data.dates[-1] + step, spend.index[-1], freq=step)
    added = spend.reindex(index=later, columns=list(data.channels), fill_value=0.0).to_numpy(dtype=np.float64)
    sold = revenue.reindex(later, fill_value=0.0).to_numpy(dtype=np.float64)
    known = replace(
        data,
        dates=pd.DatetimeIndex([*data.dates, *later]),
        spend=np.concatenate([data.spend, added[:, None, :]]),
        target=np.concatenate([data.target, sold[:, None]]),
        controls=np.concatenate([data.controls, np.zeros((len(later), 1, data.controls.shape[2]))]),
    )
    return replace(mix, data=known)


def in_cents(amounts: Floats) -> Floats:
    """Amounts in whole cents with the same sum: differences of the rounded running sum, so none moves by a cent or more, and amounts
    between two bounds in whole cents stay there."""
    return np.diff(np.round(np.cumsum(amounts) * 100, 4).round(), prepend=0.0) / 100


def coming_weeks(
    mix: MediaMix,
    daily: pd.DataFrame,
    *,
    weeks: int,
    change: tuple[float, float],
    bounds: Mapping[str, tuple[float, float]] | None = None,
    pinned: Mapping[str, float] | None = None,
    risk: float | None = None,
) -> pd.DataFrame:
    """COLUMNS, a row per channel of a national mix: the money of the last `weeks` whole weeks, spent in as many weeks that follow.

    daily: date_id, channel, spend, revenue. change: least and most of a channel as multiples of what it got, unless `bounds` names it
    (channel → amounts for all the weeks); pinned, risk: as of `Budget`. No row where nothing was spent in those weeks. Intervals: 90 %.
    """
    spend, revenue = whole_weeks(daily)
    now = brought_up_to(mix, spend, revenue) if len(spend) and spend.index[-1] > mix.data.dates[-1] else mix
    data = now.data
    recent = (data.spend[-weeks:].sum(axis=(0, 1)) * 100).round() / 100
    total = float(recent.sum().round(2))
    if total <= 0:
        return pd.DataFrame(columns=list(COLUMNS))
    within = {
        channel: (float(np.ceil(amount * change[0] * 100 - 1e-6)) / 100, float(np.floor(amount * change[1] * 100 + 1e-6)) / 100)
        for channel, amount in zip(data.channels, recent, strict=True)
    }
    found = allocate(now, Budget(total, weeks, bounds={**within, **(bounds or {})}, pinned=pinned or {}, risk=risk))
    names = {"recent": "current_spend", "spend": "recommended_spend"}
    names |= {f"{old}{end}": f"{new}{end}" for old, new in (("extra", "extra_response"), ("marginal", "marginal_roas")) for end in _ENDS}
    table = found.table.rename(columns=names)
    table["recommended_spend"] = in_cents(table["recommended_spend"].to_numpy(dtype=np.float64))
    start = data.dates[-1] + (data.dates[1] - data.dates[0])
    left = dict(zip((f"left_on_table{end}" for end in _ENDS), found.left, strict=True))
    return table.assign(starts_on=start.date(), total=total, **left)[list(COLUMNS)]
