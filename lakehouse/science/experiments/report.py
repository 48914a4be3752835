"""The report page of an experiment: what was planned, who took part, what changed, how sure, and what that means in words."""

from __future__ import annotations

import math
from html import escape

import pandas as pd

from lakehouse.science.charts import bars, grid, intervals, page
from lakehouse.science.experiments.analysis import Experiment
from lakehouse.science.experiments.sample_ratio import SampleRatio


def in_words(experiment: Experiment, results: pd.DataFrame, ratio: SampleRatio) -> str:
    """A paragraph made from the numbers of `analyse` alone."""
    said = []
    for _, row in results.iterrows():
        change = f"{row['relative']:+.1%}" if math.isfinite(row["relative"]) else f"{row['effect']:+.4g}"
        verdict = (
            f"more than chance explains (p = {row['p_value']:.2g}, limit {row['alpha']:.2g})"
            if row["significant"]
            else f"which chance alone may explain (p = {row['p_value']:.2g}, limit {row['alpha']:.2g}): that is no proof of no effect"
        )
        said.append(
            f"{row['kpi']} was {row['treatment']:.4g} with {row['arm']} and {row['control']:.4g} in control ({change}), {verdict}; "
            f"the effect lies between {row['low']:.4g} and {row['high']:.4g}, and {row['arm']} is the better one with "
            f"probability {row['probability_better']:.0%}."
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
    drawn = []
    for kpi, rows in results.groupby("kpi", sort=False):
        ends = {str(r["arm"]): (r["effect"], _shown(r["low"], r["effect"]), _shown(r["high"], r["effect"])) for _, r in rows.iterrows()}
        drawn.append(f"<h3>{escape(str(kpi))}</h3>{intervals(ends, 'effect')}")
    sections = [
        ("In words", f"<p>{escape(in_words(experiment, results, ratio))}</p>"),
        (
            "Who took part",
            bars(planned, f"units, {total:,.0f} in all") + f"<p>Sample ratio: p = {ratio.p_value:.3g}, {escape(ratio.state)}.</p>",
        ),
        (f"Effects, {experiment.level:.0%} intervals", f'<div class="charts">{"".join(drawn)}</div>'),
        ("Figures", grid(results.set_index(["kpi", "arm"]).drop(columns="experiment"))),
    ]
    return page(experiment.name, sections)


def _shown(end: float, effect: float) -> float:
    """An interval's open end is drawn at its point."""
    return end if math.isfinite(end) else effect
