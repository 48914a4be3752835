"""Pages of experiments: figures as people write them, labels that have room, words that say what the numbers say."""

import math
import re

import pandas as pd
import pytest

from lakehouse.science.charts import bars, intervals, lines, number, page, together
from lakehouse.science.experiments.holdout_report import holdout_report, holdout_words


@pytest.mark.parametrize(
    ("value", "written"),
    [(12345.6, "12,346"), (-2187.08, "−2,187"), (999.4, "999"), (0.01234, "0.0123"), (3.0, "3"), (math.nan, "–"), (0.0000123, "1.23e-05")],
)
def test_figures_are_written_as_people_write_them(value: float, written: str) -> None:
    assert number(value) == written


def test_axes_have_round_ticks_and_labels_have_room() -> None:
    drawn = lines({"took": [(0.0, -3.0), (9.0, 1234.0)], "a name": [(0.0, 5.0)]}, "day", "EUR")
    assert [tick in drawn for tick in (">0<", ">500<", ">1,000<")] == [True] * 3
    name = "a channel with quite a long name"
    start = float(re.search(r'<text x="([\d.]+)" y="33" text-anchor="end"', bars({name: 1.0}, "EUR"))[1])  # type: ignore[index]
    assert start >= 7 * len(name)


def test_what_is_not_known_is_left_out_and_an_open_interval_reaches_the_edge() -> None:
    drawn = lines({"known": [(0.0, 1.0), (1.0, math.nan), (2.0, math.inf)], "nothing": []}, "day", "EUR", band=[(0.0, math.nan, 1.0)])
    shown = intervals({"open": (2.0, -math.inf, 3.0), "unknown": (math.nan, math.nan, math.nan)}, "EUR")
    assert "nan" not in drawn + shown and "inf" not in drawn + shown
    assert "2 (−∞ to 3)" in shown and "– (– to –)" in shown


def months(*rows: tuple[float, ...], ratio: tuple[float, str] = (0.5, "as planned")) -> pd.DataFrame:
    names = ["per_customer", "incremental", "low", "high", "cumulative", "cumulative_low", "cumulative_high"]
    known = [(f"2026-0{at + 1}-01", 100, 900, *row, *ratio) for at, row in enumerate(rows)]
    return pd.DataFrame(known, columns=["period", "held_out", "reached", *names, "sample_ratio_p", "sample_ratio"])


def test_a_holdout_that_lost_or_that_chance_may_explain_is_told_so() -> None:
    lost = holdout_words("offers", months((-2.0, -1800.0, -2500.0, -1100.0, -1800.0, -2500.0, -1100.0)))
    assert "brought −1,800 EUR (90 % interval −2,500 to −1,100), a loss beyond chance" in lost
    open_yet = holdout_words("offers", months((2.0, 1800.0, -500.0, 4100.0, 1800.0, -500.0, 4100.0)))
    assert "which chance alone may explain: no proof of no effect" in open_yet and "100 of 1,000 customers (10.0%)" in open_yet


def test_figures_of_a_holdout_whose_arms_contradict_the_lot_are_withheld() -> None:
    text = holdout_report("offers", months((math.nan,) * 7, ratio=(1e-9, "blocked")))
    assert "Figures are withheld" in text and "is blocked (p = 1e-09)" in text
    assert text.count("<svg") == 1


def test_pages_put_together_keep_every_chart_under_its_name() -> None:
    whole = together("All", {name: page(name, [("Sizes", bars({"x": 1.0}, name))]) for name in ("first", "second <b>")})
    assert whole.count("<svg") == 2 and whole.count("<h3>Sizes</h3>") == 2
    assert '<a href="#page-1">second &lt;b&gt;</a>' in whole and '<div id="page-1">' in whole
    assert whole.count("<h1>") == 1 and whole.count("</body>") == 1
