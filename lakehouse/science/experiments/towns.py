"""Campaigns that ran in some towns only, read as the geo experiments they are: from a plan and daily sales to figures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lakehouse.science.experiments.geo import geo_lift

METHODS = {"synthetic control": False, "ridge augmented": True}
FIGURES = (
    "campaign", "method", "treated", "controls", "days_before", "days", "effect", "low", "high", "incremental", "lift", "p_value", "misfit",
)  # fmt: skip
FEWEST_DAYS, FEWEST_CONTROLS = 14, 3


def read_towns(campaign: str, daily: pd.DataFrame) -> pd.DataFrame:
    """FIGURES by each of METHODS; no row before the campaign is over, nor below FEWEST_DAYS on either side or FEWEST_CONTROLS.

    daily: `day`, `town`, `treated` (bool: the campaign's plan for the town), `during` (bool: the campaign runs), `over` (bool: all its
    days have come) and `value`, one row per day and town with sales. Days on which no town sold anything (closed) don't count; a
    town that sold nothing on another day counts with 0. effect: per treated town and day; incremental: in all; lift: ÷ what the
    towns would have sold; misfit: root mean squared gap before the start. Infinite ends are missing.
    """
    ready = panel_of(daily)
    if ready is None:
        return pd.DataFrame(columns=list(FIGURES))
    panel, treated, before = ready
    controls = panel.columns.difference(treated)
    rows = []
    for name, ridge in METHODS.items():
        found = geo_lift(panel, treated, before, ridge=ridge)
        known = (campaign, name, len(treated), len(controls), before, len(panel) - before, found.effect, found.low, found.high)
        rows.append((*known, found.incremental, found.lift, found.p_value, found.misfit))
    return pd.DataFrame(rows, columns=list(FIGURES)).replace({np.inf: np.nan, -np.inf: np.nan})


def panel_of(daily: pd.DataFrame) -> tuple[pd.DataFrame, list[str], int] | None:
    """Sales by open day and town, the treated towns, and the number of days before; None where `read_towns` has no row."""
    plan = daily.groupby("town")["treated"].first()
    panel = daily.pivot_table(index="day", columns="town", values="value", aggfunc="sum").sort_index().fillna(0.0)
    panel = panel[panel.sum(axis=1) > 0]
    during = daily.groupby("day")["during"].first().reindex(panel.index)
    before, treated = int((~during).sum()), list(plan.index[plan])
    ready = bool(daily["over"].all()) and min(before, len(panel) - before) >= FEWEST_DAYS
    return (panel, treated, before) if ready and treated and len(plan) - len(treated) >= FEWEST_CONTROLS else None
