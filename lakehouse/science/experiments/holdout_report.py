"""The report page of a campaign withheld by lot: what it is worth month by month and so far, how sure, in words and charts."""

from __future__ import annotations

import math
from html import escape

import pandas as pd

from lakehouse.science.charts import bars, grid, intervals, lines, number, page

COLUMNS = (
    "held_out", "reached", "per_customer", "incremental", "low", "high", "cumulative", "cumulative_low", "cumulative_high",
)  # fmt: skip


def holdout_words(campaign: str, months: pd.DataFrame) -> str:
    """A paragraph made from the numbers alone; months: rows of `worth_of_campaign`."""
    rows = months.sort_values("period")
    last = rows.iloc[-1]
    share = float(last["held_out"]) / max(float(last["held_out"] + last["reached"]), 1.0)
    who = (
        f"{campaign}: a lot holds out {number(float(last['held_out']))} of {number(float(last['held_out'] + last['reached']))} customers "
        f"({share:.1%}) for good; the others may be reached."
    )
    if rows["cumulative"].isna().all():
        why = (
            f"is {last['sample_ratio']} (p = {last['sample_ratio_p']:.2g})"
            if last["sample_ratio_p"] == last["sample_ratio_p"]
            else "is not known"
        )
        return f"{who} Figures are withheld: the arms' sizes beside the lot's own odds: the sample ratio {why}, or an arm is too small."
    so_far, low, high = (float(last[name]) for name in ("cumulative", "cumulative_low", "cumulative_high"))
    clear = int(((rows["low"] > 0) | (rows["high"] < 0)).sum())
    verdict = (
        "more than chance explains"
        if low > 0
        else "a loss beyond chance"
        if high < 0
        else "which chance alone may explain: no proof of no effect"
    )
    ratio = (
        f"The arms' sizes fit the lot (p = {last['sample_ratio_p']:.2g})."
        if last["sample_ratio"] == "as planned"
        else f"The arms' sizes are {last['sample_ratio']} (p = {last['sample_ratio_p']:.2g}): look for lost or doubled ones before acting."
    )
    begun, now = _month(rows["period"].iloc[0]), _month(last["period"])
    each, month, month_low, month_high = (number(float(last[name])) for name in ("per_customer", "incremental", "low", "high"))
    return (
        f"{who} From {begun} to {now} it brought {number(so_far)} EUR (90 % interval {number(low)} to {number(high)}), {verdict}. "
        f"In {now} a customer who may be reached spent {each} EUR more than one held out, {month} EUR over all of them ({month_low} to "
        f"{month_high}). Of {len(rows)} months {clear} {'was' if clear == 1 else 'were'} beyond chance alone. {ratio}"
    )


def holdout_report(campaign: str, months: pd.DataFrame) -> str:
    """One HTML page from a campaign's rows as a table keeps them."""
    rows = months.sort_values("period", ignore_index=True)
    last = rows.iloc[-1]
    sizes = {"held out": float(last["held_out"]), "may be reached": float(last["reached"])}
    sections = [("In words", f"<p>{escape(holdout_words(campaign, rows))}</p>")]
    known = rows.dropna(subset=["incremental", "low", "high"])
    if len(known):
        monthly = {_month(r["period"]): (float(r["incremental"]), float(r["low"]), float(r["high"])) for _, r in known.iterrows()}
        sections.append(("What it brought in each month", intervals(monthly, "EUR in the month, with 90 % interval")))
        sections.append(("What it brought so far", _so_far(known)))
    ratio = f"<p>Sample ratio: p = {number(float(last['sample_ratio_p']))}, {escape(str(last['sample_ratio']))}.</p>"
    figures = rows.assign(period=rows["period"].map(_month)).set_index("period")[list(COLUMNS)]
    sections += [
        ("Who took part, by the last month's end", bars(sizes, "customers") + ratio),
        ("Figures, EUR", grid(figures)),
        ("Limits", "<p>Customers are compared as they were drawn, whether a message reached them or not. Months share customers: their "
         "intervals must not be added; the running sum is compared customer by customer instead.</p>"),
    ]  # fmt: skip
    return page(f"Withheld by lot: {campaign}", sections)


def _so_far(known: pd.DataFrame) -> str:
    at = [
        (float(n), *(float(r[c]) for c in ("cumulative", "cumulative_low", "cumulative_high"))) for n, (_, r) in enumerate(known.iterrows())
    ]
    ticks = {float(n): _month(known["period"].iloc[n]) for n in sorted({0, len(known) // 2, len(known) - 1})}
    band = [(n, low, high) for n, _, low, high in at if math.isfinite(low) and math.isfinite(high)]
    return lines({"so far, with 90 % interval": [(n, value) for n, value, _, _ in at]}, "month", "EUR", band=band, x_names=ticks)


def _month(period: object) -> str:
    return f"{pd.Timestamp(str(period)):%b %Y}"
