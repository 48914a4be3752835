"""The report page of pooled studies: a forest for each measure, what it says in words, and what may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd

from lakehouse.science.charts import grid, intervals, page
from lakehouse.science.pooling.answer import Together
from lakehouse.science.pooling.studies import describe

NAMES = {"lift": "lift tests", "ab": "A/B tests"}
LIMITS = (
    "Effects are logarithms of treatment ÷ control, assumed normal around each study's own true effect, and those normal around a "
    "common mean, with priors Normal(0, 2) on the mean and HalfNormal(1) on their deviation; the latter is integrated numerically, "
    "nothing is sampled. Studies count as independent: one campaign tested again and again is less than its number says. "
    "A lift test's error is read from its interval as if that were normal (width ÷ 3.29). Checks for missing studies are weak below some "
    "dozens: they are questions, not corrections."
)


def in_words(one: Together) -> str:
    """A paragraph made from the numbers alone."""
    own, small = one.believed, one.asymmetry
    said = [
        f"{len(one.studies)} {NAMES[one.kind]} of {one.measure}: on average treatment changes it by {_percent(own.mean)} "
        f"({own.level:.0%} interval {_percent(own.low)} to {_percent(own.high)}), above zero with probability {own.above_zero:.0%}.",
        f"True effects differ between studies with a deviation of {own.tau:.3f} in logarithms; that of a further study is expected "
        f"between {_percent(own.next_low)} and {_percent(own.next_high)}.",
        f"Small studies tell {'a' if small.p_value < 0.1 else 'no clearly'} different story (p = {small.p_value:.2g});",
    ]
    filled = one.filled
    if filled.missing:
        said.append(f"with {filled.missing} mirrored on the {filled.side} side the mean would be {_percent(filled.pooled.mean)};")
    said.append(
        f"{'some' if one.selected.p_value < 0.1 else 'no'} sign that results without significance are missing "
        f"(p = {one.selected.p_value:.2g}; allowing for it, {_percent(one.selected.mean)})."
    )
    return " ".join(said)


def pooling_report(together: Sequence[Together], lacking: Sequence[str], described: pd.DataFrame) -> str:
    """One HTML page. lacking: what other measures lack; described: rows (`measure`, `effect`) that are shown and not pooled."""
    sections = []
    for one in together:
        ends = {
            str(row["study"]): tuple(float(np.expm1(row[name])) * 100 for name in ("effect", "low", "high"))
            for _, row in one.forest.iterrows()
        }
        body = f"<p>{escape(in_words(one))}</p>{intervals(ends, 'change, %')}"  # type: ignore[arg-type]
        sections.append((f"{one.measure} ({NAMES[one.kind]})", body))
    figures = {f"{one.measure} ({NAMES[one.kind]})": _row(one) for one in together}
    sections.append(("Figures, logarithms", grid(pd.DataFrame(figures).T)))
    if lacking:
        sections.append(("Not pooled yet", "".join(f"<p>{escape(line)}</p>" for line in lacking)))
    if len(described):
        told = {measure: describe(rows["effect"].to_numpy(dtype=np.float64)) for measure, rows in described.groupby("measure")}
        sections.append(("Described only: without a usable error, or no independent studies", grid(pd.DataFrame(told).T)))
    sections.append(("What it rests on", f"<p>{escape(LIMITS)}</p>"))
    return page("What our studies say together", sections)


def _row(one: Together) -> dict[str, float]:
    own, classic = one.believed, one.classic
    return {
        "mean": own.mean, "low": own.low, "high": own.high, "τ": own.tau, "REML mean": classic.mean, "REML low": classic.low,
        "REML high": classic.high, "Q": classic.q, "I²": classic.i2,
    }  # fmt: skip


def _percent(logarithm: float) -> str:
    return f"{float(np.expm1(logarithm)):+.1%}"
