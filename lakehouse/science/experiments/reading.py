"""Messages sent in variants, drawn by lot, read as the experiment they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lakehouse.science.experiments.analysis import Experiment, Kpi, analyse
from lakehouse.science.experiments.report import experiment_report
from lakehouse.science.experiments.sample_ratio import SampleRatio, sample_ratio

FEWEST = 30
KPIS = (Kpi("opened", "proportion"), Kpi("clicked", "proportion"), Kpi("unsubscribed", "proportion"))
FIGURES = (
    "experiment", "kpi", "arm", "control", "treatment", "effect", "relative", "error", "low", "high", "p_value", "probability_better",
    "alpha", "significant", "side", "units", "control_arm", "control_units", "arm_units", "sample_ratio_p", "sample_ratio",
)  # fmt: skip
WITHHELD = ("control", "treatment", "effect", "relative", "error", "low", "high", "p_value", "probability_better", "alpha")


def read_variants(
    campaign: str, units: pd.DataFrame, shares: Mapping[str, float] | None = None
) -> tuple[pd.DataFrame, Experiment, SampleRatio] | None:
    """Results (one row per KPI and arm, columns FIGURES), declaration and sample ratio of a campaign.

    units: one row per message sent: `arm` and KPIS (0 or 1). shares: planned, the control first; even, in the order of names,
    by default. None before FEWEST units are in each arm. Where the sample ratio blocks the result, the rows carry sizes and
    its p-value, no effects.
    """
    counts = units["arm"].value_counts()
    arms = sorted(counts.index)
    planned = dict(shares) if shares else {arm: 1 / len(arms) for arm in arms}
    if len(planned) < 2 or counts.reindex(list(planned)).fillna(0).min() < FEWEST:
        return None
    plan = Experiment(campaign, KPIS, planned)
    ratio = sample_ratio({arm: int(counts[arm]) for arm in planned}, planned)
    control = next(iter(planned))
    sizes = {"control_arm": control, "control_units": int(counts[control])}
    if ratio.state == "blocked":
        pairs = [(kpi.column, arm) for arm in list(planned)[1:] for kpi in KPIS]
        known: dict[str, Any] = {"experiment": campaign, "side": "two-sided", "units": len(units), "significant": None}
        known |= {"sample_ratio_p": ratio.p_value, "sample_ratio": ratio.state, **dict.fromkeys(WITHHELD, math.nan)}
        rows = pd.DataFrame(pairs, columns=["kpi", "arm"]).assign(**known)
    else:
        rows, ratio = analyse(plan, units)
        rows = rows.replace({np.inf: math.nan, -np.inf: math.nan})
    return rows.assign(**sizes, arm_units=rows["arm"].map(counts).astype("int64"))[list(FIGURES)], plan, ratio


def variants_report(rows: pd.DataFrame) -> str:
    """The report page from a campaign's rows of `read_variants` alone, as a table kept them; not for a blocked result."""
    first = rows.iloc[0]
    sizes = {str(first["control_arm"]): int(first["control_units"])} | {str(r["arm"]): int(r["arm_units"]) for _, r in rows.iterrows()}
    plan = Experiment(str(first["experiment"]), KPIS, {arm: 1 / len(sizes) for arm in sizes})
    ratio = SampleRatio(math.nan, float(first["sample_ratio_p"]), first["sample_ratio"])
    return experiment_report(plan, rows, ratio, pd.Series(sizes))


def unread() -> pd.DataFrame:
    """No results yet: FIGURES without rows, of no particular type."""
    return pd.DataFrame(columns=list(FIGURES), dtype=object)
