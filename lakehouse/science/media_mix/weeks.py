"""Whole weeks out of days: a week that has begun, or whose data begin within it, would look like a bad one."""

from __future__ import annotations

import pandas as pd


def whole_weeks(daily: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """(spend, weeks × channels, 0 where none; revenue of all channels by week), by week's Monday, oldest first.

    daily: date_id, channel, spend, revenue. A week is whole if it has rows of its Monday and of its Sunday.
    """
    days = pd.to_datetime(daily["date_id"])
    rows = daily.assign(date_id=days, week=days - pd.to_timedelta(days.dt.weekday, unit="D"))
    seen = rows.groupby("week")["date_id"].agg(["min", "max"])
    whole = seen.index[(seen["max"] - seen["min"]).dt.days == 6]
    spend = rows.pivot_table(index="week", columns="channel", values="spend", aggfunc="sum", fill_value=0.0)
    return spend.reindex(whole).fillna(0.0), rows.groupby("week")["revenue"].sum().reindex(whole)
