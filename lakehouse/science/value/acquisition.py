"""What winning a customer costs through each channel, and when it is earned back."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import chi2

from lakehouse.science.propensity.unfit import UnfitData
from lakehouse.science.value.residual import payback

NEEDED = {"channels": ("channel", "spend", "customers"), "margins": ("channel", "period", "margin")}


def acquisition(channels: pd.DataFrame, margins: pd.DataFrame) -> pd.DataFrame:
    """One row per channel: customers, spend, cost per customer with interval, margin so far, payback, margin ÷ spend.

    The interval of the cost is spend ÷ (Poisson interval of the customers won; Garwood 1936): how many came by
    chance. Give customers by cause (an experiment, an attribution) where known; by last touch the cost of a
    channel that harvests others' work looks too low.

    Args:
        channels: channel, spend (money) and customers (count, may be fractional where attributed).
        margins: channel, period (0, 1, …: since the customer was won) and margin of its cohort in that period.

    Returns:
        Frame by channel: spend, customers, cost, cost_low, cost_high (NaN without customers), margin, payback (periods, NaN if
        not yet), ratio (margin ÷ spend, NaN without spend).

    Raises:
        UnfitData: a column is absent, a channel twice, negative spend or customers, periods with holes.
    """
    for frame, name in ((channels, "channels"), (margins, "margins")):
        absent = [c for c in NEEDED[name] if c not in frame.columns]
        if absent:
            raise UnfitData(f"{name}: columns {list(frame.columns)}; {list(NEEDED[name])} are needed")
    if channels["channel"].duplicated().any() or (channels[["spend", "customers"]] < 0).to_numpy().any():
        raise UnfitData("channels: one row per channel, spend and customers not negative")
    rows = {}
    for channel, spend, won in channels[["channel", "spend", "customers"]].itertuples(index=False):
        own = margins[margins["channel"] == channel].sort_values("period")
        if len(own) and own["period"].to_list() != list(range(len(own))):
            raise UnfitData(
                f"margins of {channel}: periods {own['period'].to_list()[:8]}; 0, 1, 2, … each once are valid, 0 where nothing came"
            )
        flow = own["margin"].to_numpy(dtype=np.float64)
        cost, low, high, back = np.nan, np.nan, np.nan, None
        if won > 0:
            cost, back = spend / won, payback(float(spend), max(int(np.ceil(won)), 1), flow)[1]
            low, high = spend / (chi2.ppf(0.975, 2 * won + 2) / 2), spend / (chi2.ppf(0.025, 2 * won) / 2)
        ratio = float(flow.sum()) / spend if spend > 0 else np.nan
        rows[str(channel)] = (spend, won, cost, low, high, float(flow.sum()), np.nan if back is None else back, ratio)
    names = ["spend", "customers", "cost", "cost_low", "cost_high", "margin", "payback", "ratio"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names).rename_axis("channel")
