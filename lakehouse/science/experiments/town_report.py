"""The report page of a campaign in some towns: what they took beside what they would have taken, how sure, and what that rests on."""

from __future__ import annotations

import math
from html import escape

import numpy as np
import pandas as pd

from lakehouse.science.charts import bars, grid, lines, number, page
from lakehouse.science.experiments.geo import GeoLift, geo_lift
from lakehouse.science.experiments.synthetic_control import synthetic_control
from lakehouse.science.experiments.towns import panel_of

REACH = 1.645
SMOOTHED = 6
"""Open days of the running mean in the chart of placebos: a week of shops."""


def towns_report(campaign: str, daily: pd.DataFrame) -> str | None:
    """One HTML page from `daily` as `read_towns` takes it; None where that has no row."""
    ready = panel_of(daily)
    if ready is None:
        return None
    panel, treated, before = ready
    plain, ridge = geo_lift(panel, treated, before), geo_lift(panel, treated, before, ridge=True, interval=False)
    others = placebo_gaps(panel, treated, before)
    words = in_words(campaign, panel, treated, before, plain, ridge, others)
    took = panel[treated].mean(axis=1).to_numpy()
    would, days = took - plain.gap, range(len(panel))
    ticks = {float(day): f"{pd.Timestamp(panel.index[day]):%-d %b}" for day in (0, before, len(panel) - 1)}
    band = [(float(day), float(would[day] - REACH * plain.misfit), float(would[day] + REACH * plain.misfit)) for day in days]
    told = {"took": _line(took), "would have taken": _line(would)}
    dates = {"mark": (float(before), "campaign"), "x_names": ticks}
    actual = lines(told, "open days", "EUR a town and day", ["would have taken"], band=band, from_zero=False, **dates)  # type: ignore[arg-type]
    placebo = lines(
        {"towns with the campaign": _line(_smooth(plain.gap))}, "open days", "EUR more than the mixture",
        faint=[_line(_smooth(gap)) for gap in others.to_numpy().T], **dates,  # type: ignore[arg-type]
    )  # fmt: skip
    so_far = _running(plain, before, len(treated), ticks)
    weights = {str(town): 100 * float(weight) for town, weight in plain.weights.items() if weight >= 0.01}
    readings = pd.DataFrame(
        {name: [f.effect, f.low, f.high, f.incremental, f.lift, f.p_value, f.misfit] for name, f in (("synthetic control", plain),)}
        | {"ridge augmented": [ridge.effect, math.nan, math.nan, ridge.incremental, ridge.lift, ridge.p_value, ridge.misfit]},
        index=pd.Index(["effect, EUR a town and day", "low", "high", "in all, EUR", "share of what would have been", "p", "misfit before"]),
    )
    sections = [
        ("In words", f"<p>{escape(words)}</p>"),
        ("What the towns took, and what they would have taken", f'<div class="charts">{actual}{so_far}</div>'
         "<p>Shaded left: where nine of ten days without the campaign would lie, by the misfit before. Right: 90 % interval.</p>"),
        ("Had it been another town", f'<div class="charts">{placebo}{bars(weights, "share in the mixture, %")}</div>'
         f"<p>Grey: each town without the campaign against the others; means of {SMOOTHED} days. What works leaves them.</p>"),
        ("Figures", grid(readings)),
        ("Limits", "<p>The interval is for an effect that is the same on each day; p cannot fall below 1 ÷ days. What else began in these "
         "towns on the same day is not told apart.</p>"),
    ]  # fmt: skip
    return page(f"Campaign in some towns: {campaign}", sections)


def placebo_gaps(panel: pd.DataFrame, treated: list[str], before: int) -> pd.DataFrame:
    """Each untreated town's gap (T, towns) from a mixture of the other untreated towns: what chance makes of no campaign."""
    controls = panel.drop(columns=treated).astype(float)
    gaps = {
        town: synthetic_control(controls[town].to_numpy(), controls.drop(columns=[town]).to_numpy(), before, demean=True).gap
        for town in controls.columns
    }
    return pd.DataFrame(gaps, index=panel.index)


def in_words(
    campaign: str, panel: pd.DataFrame, treated: list[str], before: int, found: GeoLift, ridge: GeoLift, others: pd.DataFrame
) -> str:
    """A paragraph made from the numbers alone."""
    first, last = (pd.Timestamp(panel.index[day]).date() for day in (before, len(panel) - 1))
    level = float(panel[treated].iloc[:before].to_numpy().mean())
    parts = ", ".join(f"{town} {weight:.0%}" for town, weight in found.weights.head(3).items())
    ends = f"{number(found.low)} to {number(found.high)}"
    sure = (
        f"Chance alone rarely makes such a difference (p = {found.p_value:.2g}, limit {1 - found.level:.2g})."
        if found.p_value <= 1 - found.level
        else f"Chance alone may explain it (p = {found.p_value:.2g}, limit {1 - found.level:.2g}): that is no proof of no effect."
    )
    larger = int((others.iloc[before:].mean().abs() >= abs(found.effect)).sum())
    more = "more" if found.effect >= 0 else "(less)"
    return (
        f"The campaign '{campaign}' ran from {first} to {last} in {len(treated)} of {panel.shape[1]} towns ({', '.join(treated)}). A shop "
        f"there took {number(found.effect)} EUR a day {more} than the mixture of other towns that resembled it before (mostly {parts}): "
        f"{found.lift:+.1%} of what it would have taken, {number(found.incremental)} EUR in all. The 90 % interval is {ends} EUR a town "
        f"and day. {sure} Of {others.shape[1]} towns without the campaign {larger} differed as much from theirs. In the {before} open days "
        f"before, the mixture missed by {number(found.misfit)} EUR a day ({found.misfit / max(level, 1e-9):.0%} of sales). The reading "
        f"augmented by ridge regression gives {ridge.lift:+.1%}."
    )


def _running(found: GeoLift, before: int, towns: int, ticks: dict[float, str]) -> str:
    """Incremental sales so far, EUR, with the interval of a constant effect."""
    so_far = np.concatenate([[0.0], np.cumsum(found.gap[before:])]) * towns
    series = {"more taken so far": [(float(before + day), float(value)) for day, value in enumerate(so_far)]}
    band = [
        (float(before + day), found.low * day * towns, found.high * day * towns)
        for day in range(len(so_far))
        if math.isfinite(found.low) and math.isfinite(found.high)
    ]
    last = max(ticks)
    return lines(series, "open days", "EUR, all towns", band=band, x_names={float(before): ticks[float(before)], last + 1.0: ticks[last]})


def _line(values: np.ndarray) -> list[tuple[float, float]]:  # type: ignore[type-arg]
    return [(float(day), float(value)) for day, value in enumerate(values)]


def _smooth(values: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    return pd.Series(values).rolling(SMOOTHED, min_periods=1).mean().to_numpy()
