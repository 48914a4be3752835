"""One experiment from its declaration to its results: what was fixed beforehand is what is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from lakehouse.science.experiments.adjustment import cuped, winsorised
from lakehouse.science.experiments.bayes import read_estimate, read_proportions
from lakehouse.science.experiments.compare import compare_means, compare_proportions, compare_ratios
from lakehouse.science.experiments.estimate import Estimate, Floats, Side
from lakehouse.science.experiments.multiplicity import adjusted_alpha
from lakehouse.science.experiments.sample_ratio import SampleRatio, sample_ratio
from lakehouse.science.unfit import UnfitData

FLAT = 1e6
"""Standard errors of the estimate a prior must be wide to leave it as it is."""


@dataclass(frozen=True)
class Kpi:
    """column: the figure per unit. denominator: for ratios. before: pre-period column for CUPED.

    winsorise: upper quantile, for means. side: in which direction a change counts.
    """

    column: str
    kind: Literal["proportion", "mean", "ratio"] = "mean"
    denominator: str | None = None
    before: str | None = None
    winsorise: float | None = None
    side: Side = "two-sided"


@dataclass(frozen=True)
class Experiment:
    """Fixed before the start. shares: planned share per arm, the control first."""

    name: str
    kpis: Sequence[Kpi]
    shares: dict[str, float] = field(default_factory=lambda: {"control": 0.5, "treatment": 0.5})
    level: float = 0.9
    override: str | None = None


def _values(frame: pd.DataFrame, column: str) -> Floats:
    return frame[column].to_numpy(dtype=np.float64)


def _compare(kpi: Kpi, control: pd.DataFrame, treatment: pd.DataFrame, level: float) -> Estimate:
    y = _values(control, kpi.column), _values(treatment, kpi.column)
    if kpi.kind == "proportion":
        won = int(y[0].sum()), int(y[1].sum())
        return compare_proportions(won, (len(y[0]), len(y[1])), level=level, side=kpi.side)
    if kpi.kind == "ratio":
        if kpi.denominator is None:
            raise UnfitData(f"KPI {kpi.column!r} is a ratio without denominator; name its column.")
        below = _values(control, kpi.denominator), _values(treatment, kpi.denominator)
        return compare_ratios((y[0], below[0]), (y[1], below[1]), level=level, side=kpi.side)
    if kpi.winsorise is not None:
        y = winsorised(y[0], y[1], kpi.winsorise)
    if kpi.before is not None:
        y = cuped(y[0], y[1], _values(control, kpi.before), _values(treatment, kpi.before))
    return compare_means(y[0], y[1], level=level, side=kpi.side)


def _better(kpi: Kpi, found: Estimate, control: pd.DataFrame, treatment: pd.DataFrame) -> float:
    if kpi.kind == "proportion":
        won = int(control[kpi.column].sum()), int(treatment[kpi.column].sum())
        return read_proportions(won, (len(control), len(treatment))).better
    return read_estimate(found, prior_error=FLAT * found.error).better if found.error > 0 else math.nan


def analyse(experiment: Experiment, units: pd.DataFrame) -> tuple[pd.DataFrame, SampleRatio]:
    """Every KPI of every arm against the control, after the sample-ratio check.

    units: one row per exposed unit, `arm` and the KPIs' columns. Raises when the sample ratio blocks.
    Intervals use `level`, widened by Bonferroni when there are more than three comparisons; `p_value` is to
    be read against the `alpha` beside it.
    """
    counts = {arm: int((units["arm"] == arm).sum()) for arm in experiment.shares}
    if strange := sorted(set(units["arm"].unique()) - set(counts)):
        raise UnfitData(f"{experiment.name}: units in arms {strange}; declared are {', '.join(counts)}.")
    ratio = sample_ratio(counts, experiment.shares, experiment.override)
    ratio.require()
    control, *others = experiment.shares
    alpha = adjusted_alpha(1 - experiment.level, len(experiment.kpis) * len(others))
    by_arm = {arm: units[units["arm"] == arm] for arm in counts}
    rows = []
    for arm in others:
        for kpi in experiment.kpis:
            found = _compare(kpi, by_arm[control], by_arm[arm], 1 - alpha)
            rows.append(
                {
                    "experiment": experiment.name,
                    "kpi": kpi.column,
                    "arm": arm,
                    "control": found.control,
                    "treatment": found.treatment,
                    "effect": found.effect,
                    "relative": found.relative,
                    "error": found.error,
                    "low": found.low,
                    "high": found.high,
                    "p_value": found.p_value,
                    "probability_better": _better(kpi, found, by_arm[control], by_arm[arm]),
                    "alpha": alpha,
                    "significant": found.p_value < alpha,
                    "side": found.side,
                    "units": found.units,
                    "sample_ratio_p": ratio.p_value,
                    "sample_ratio": ratio.state,
                }
            )
    return pd.DataFrame(rows), ratio
