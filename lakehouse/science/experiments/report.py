"""The report page of an experiment: what was planned, who took part, what changed, how sure, and what that means in words."""

from __future__ import annotations

import math
from html import escape

import pandas as pd

from lakehouse.science.charts import bars, grid, intervals, number, page
from lakehouse.science.experiments.analysis import Experiment
from lakehouse.science.experiments.sample_ratio import SampleRatio


def in_words(experiment: Experiment, results: pd.DataFrame, ratio: SampleRatio) -> str:
    """A paragraph made from the numbers of `analyse` alone."""
    shares = {kpi.column for kpi in experiment.kpis if kpi.kind == "proportion"}
    said = []
    for _, row in results.iterrows():
        share = row["kpi"] in shares

        def told(value: float, share: bool = share) -> str:
            return f"{value:.2%}" if share else number(float(value), 4)

        def moved(value: float, share: bool = share) -> str:
            return f"{100 * value:+.2f}" if share else number(float(value), 4)

        change = f"{row['relative']:+.1%}" if math.isfinite(row["relative"]) else moved(row["effect"])
        verdict = (
            f"more than chance explains (p = {row['p_value']:.2g}, limit {row['alpha']:.2g})"
            if row["significant"]
            else f"which chance alone may explain (p = {row['p_value']:.2g}, limit {row['alpha']:.2g}): that is no proof of no effect"
        )
        said.append(
            f"{row['kpi']} was {told(row['treatment'])} with {row['arm']} and {told(row['control'])} in control ({change}), {verdict}; "
            f"the effect lies between {moved(row['low'])} and {moved(row['high'])}{' percentage points' if share else ''}, and "
            f"{row['arm']} is the higher one with probability {row['probability_better']:.0%}."
        )
    if ratio.state == "suspicious":
        said.append(f"The arms' sizes are unlikely under the plan (p = {ratio.p_value:.2g}): look for lost or doubled units before acting.")
    if ratio.state == "overridden":
        said.append(f"The arms' sizes contradict the plan (p = {ratio.p_value:.2g}); shown because of an override: {ratio.override}.")
    if len(results) > 3:
        said.append(f"{len(results)} comparisons share the error of {1 - experiment.level:.0%} among them.")
    return " ".join(said)


def experiment_report(experiment: Experiment, results: pd.DataFrame, ratio: SampleRatio, counts: pd.Series) -> str:
    """One HTML page from what `analyse` gave; counts: units by arm."""
    total = float(counts.sum())
    planned = {f"{arm} (planned {share:.0%})": float(counts.get(arm, 0)) for arm, share in experiment.shares.items()}
    shares = {kpi.column for kpi in experiment.kpis if kpi.kind == "proportion"}
    drawn = []
    for kpi, rows in results.groupby("kpi", sort=False):
        ends = {str(r["arm"]): (r["effect"], _shown(r["low"], r["effect"]), _shown(r["high"], r["effect"])) for _, r in rows.iterrows()}
        scale = 100.0 if str(kpi) in shares else 1.0
        ends = {arm: (scale * middle, scale * low, scale * high) for arm, (middle, low, high) in ends.items()}
        unit = "percentage points more than in control" if scale > 1 else "more than in control"
        drawn.append(f"<div><h3>{escape(str(kpi))}</h3>{intervals(ends, unit)}</div>")
    table = results.drop(columns=["experiment", "kpi", "arm"])
    table.index = pd.Index([f"{row['kpi']}, {row['arm']}" for _, row in results.iterrows()])
    sections = [
        ("In words", f"<p>{escape(in_words(experiment, results, ratio))}</p>"),
        (
            "Who took part",
            bars(planned, f"units, {total:,.0f} in all") + f"<p>Sample ratio: p = {ratio.p_value:.3g}, {escape(ratio.state)}.</p>",
        ),
        (f"Effects, {experiment.level:.0%} intervals", f'<div class="charts">{"".join(drawn)}</div>'),
        ("Figures", grid(table.astype(object).T)),
    ]
    return page(experiment.name, sections)


def _shown(end: float, effect: float) -> float:
    """An interval's open end is drawn at its point."""
    return end if math.isfinite(end) else effect
