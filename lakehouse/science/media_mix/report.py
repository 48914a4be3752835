"""The report page of a media mix: what media brought, what more money would bring, how sure, and what that rests on."""

from __future__ import annotations

from html import escape

import pandas as pd

from lakehouse.science.charts import bars, grid, intervals, lines, page
from lakehouse.science.media_mix.budget import Allocation
from lakehouse.science.media_mix.mix import MediaMix
from lakehouse.science.media_mix.outcomes import by_form, curves, out_of_time, prior_and_posterior, returns, weekly_contributions

PROPOSED = ("recent", "spend", "response", "response_low", "response_high", "marginal", "marginal_low", "marginal_high", "in_flight")


def in_words(mix: MediaMix, allocation: Allocation | None = None) -> str:
    """A paragraph made from the numbers alone."""
    table = returns(mix).sort_values("contribution", ascending=False)
    share = table["contribution"].sum() / mix.data.target.sum()
    first, best = table.iloc[0], table.sort_values("marginal_roas").iloc[-1]
    first_day, last_day = mix.data.dates[0].date(), mix.data.dates[-1].date()
    said = [
        f"From {first_day} to {last_day} media brought {share:.0%} of sales; most came from {first['channel']} "
        f"({first['contribution']:,.0f}, 90 % interval {first['contribution_low']:,.0f} to {first['contribution_high']:,.0f}).",
        f"A further unit of spend brings most in {best['channel']}: {best['marginal_roas']:.2f} "
        f"({best['marginal_roas_low']:.2f} to {best['marginal_roas_high']:.2f}).",
    ]
    unsure = table[(table["roas_high"] - table["roas_low"]) > table["roas"]]["channel"].tolist()
    if unsure:
        said.append(f"For {', '.join(unsure)} the interval is wider than the value itself: a lift test there would help most.")
    if len(mix.fits) > 1:
        apart = by_form(mix).groupby("channel")["apart"].first()
        said.append(f"The answer depends on the form of saturation most for {apart.idxmax()}: forms differ by {apart.max():.0%}.")
    if mix.left_out:
        said.append(f"Without convergence, so left out: {', '.join(mix.left_out)}.")
    if allocation is not None:
        gain, low, high = allocation.left
        said.append(
            f"Of {allocation.total:,.0f}, the proposed split brings {gain:,.0f} more than the recent ({low:,.0f} to {high:,.0f})"
            + ("; the interval holds zero, so the recent split may be as good." if low <= 0 <= high else ".")
        )
    return " ".join(said)


def media_mix_report(mix: MediaMix, allocation: Allocation | None = None, calibration: pd.DataFrame | None = None) -> str:
    """One HTML page. calibration: of `calibration.pull`, where there were lift tests."""
    table, drawn, weeks = returns(mix), curves(mix), weekly_contributions(mix)
    roas = {str(r["channel"]): (r["roas"], r["roas_low"], r["roas_high"]) for _, r in table.iterrows()}
    marginal = {str(r["channel"]): (r["marginal_roas"], r["marginal_roas_low"], r["marginal_roas_high"]) for _, r in table.iterrows()}
    parts = {str(name): float(rows["mean"].sum()) for name, rows in weeks.groupby("channel", sort=False)}
    sections = [
        ("In words", f"<p>{escape(in_words(mix, allocation))}</p>"),
        ("Where sales came from", bars(dict(sorted(parts.items(), key=lambda one: -one[1])), "target, whole time")),
        (
            "Return on spend, 90 % intervals",
            f'<div class="charts">{intervals(roas, "ROAS")}{intervals(marginal, "marginal ROAS")}</div>{grid(table.set_index("channel"))}',
        ),
        (
            "Response per period of a steady plan",
            '<div class="charts">' + "".join(_curve(drawn, name) for name in mix.data.channels) + "</div>",
        ),
        ("What is believed and what was learned (ROAS)", grid(prior_and_posterior(mix).set_index("channel"))),
    ]
    if mix.foresight:
        forms = by_form(mix).pivot(index="channel", columns="form", values="mean")
        sections.append(("By form of saturation: ROAS, and how each foresaw", grid(forms) + grid(out_of_time(mix).set_index("form"))))
    if calibration is not None:
        sections.append(("Experiments: the data alone, the test alone, both", grid(calibration.set_index("test"))))
    if allocation is not None:
        sections.append(("Proposed split", grid(allocation.table.set_index("channel")[list(PROPOSED)])))
    checks = pd.DataFrame([vars(fit.diagnosis) for fit in mix.fits], index=[str(fit.setting.form) for fit in mix.fits])
    sections.append(("Convergence", grid(checks)))
    limits = (
        "Effects are constant over time. Spend that follows demand is told apart from spend that makes it only by controls and "
        "experiments. Curves beyond the largest spend seen are the form's word, not the data's."
    )
    sections.append(("Limits", f"<p>{limits}</p>"))
    return page("Media mix: what advertising brought", sections)


def _curve(drawn: pd.DataFrame, channel: str) -> str:
    rows = drawn[drawn["channel"] == channel]
    series = {
        name: [(float(x), float(y)) for x, y in zip(rows["spend"], rows[column], strict=True)]
        for name, column in ((channel, "mean"), ("5 %", "low"), ("95 %", "high"))
    }
    return lines(series, "spend per period", "target per period", dashed=["5 %", "95 %"])
