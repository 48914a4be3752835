"""The report page of a propensity model: does it rank, does it mean what it says, why, for whom."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from lakehouse.science.charts import bars, grid, lines, page
from lakehouse.science.fairness.audit import Audit
from lakehouse.science.propensity.evaluation import reliability
from lakehouse.science.propensity.explanations import sampled_contributions


def propensity_report(
    model: Any,
    features: pd.DataFrame,
    label: Any,
    baseline: Any,
    candidates: pd.DataFrame,
    fairness: Audit,
    metrics: Mapping[str, float],
    explained: int = 100,
) -> str:
    """One HTML page on rows of later time: figures, reliability, share of buyers found, importance, fairness, candidates.

    Args:
        model: with `log_odds` and `probability`, fitted on earlier rows.
        features, label: later rows.
        baseline: score of the simple rule on them.
        explained: rows whose Shapley values are averaged for the importance of features.
    """
    y = np.asarray(label, dtype=np.float64)
    p = model.probability(features)
    table = reliability(p, y)
    seen = list(zip(table["mean_probability"], table["rate"], strict=True))
    most = float(max(table["mean_probability"].max(), table["rate"].max()))
    calibration = lines({"observed": seen, "perfect": [(0.0, 0.0), (most, most)]}, "predicted", "happened", dashed=["perfect"])
    reached = _found(y, {"model": p, "simple rule": baseline})
    found = lines(reached, "share contacted", "buyers found")
    rows = features.iloc[:: max(len(features) // explained, 1)].head(explained)
    background = features.iloc[:: max(len(features) // 12, 1)].head(12)
    weight = sampled_contributions(model.log_odds, rows, background, rounds=1).abs().mean().sort_values(ascending=False, kind="stable")
    figures = pd.DataFrame({"value": {k: v for k, v in metrics.items() if k.startswith(("later_", "baseline_"))}})
    gaps = fairness.table.set_index(["attribute", "measure"])
    gaps.index = pd.Index([" · ".join(one) for one in gaps.index])
    return page(
        "Propensity to buy: how it does on later time",
        [
            ("In words", f"<p>{escape(_in_words(y, p, reached, str(weight.index[0]), gaps))}</p>"),
            ("Figures beside the simple rule", grid(figures)),
            (
                "Reliability and buyers found",
                f'<div class="charts">{calibration}{found}</div>',
            ),
            ("What moves it (mean |Shapley value|, log odds)", bars({str(k): float(v) for k, v in weight.head(10).items()}, "log odds")),
            ("Groups treated alike?", grid(gaps[["gap", "low", "high", "limit", "high_group", "low_group", "verdict"]])),
            ("Kinds of model side by side", grid(candidates)),
        ],
    )


def _in_words(y: Any, p: Any, reached: Mapping[str, list[tuple[float, float]]], strongest: str, gaps: pd.DataFrame) -> str:
    """A paragraph made from the numbers alone."""
    fifth = {name: next(found for share, found in line if share > 0.199) for name, line in reached.items()}
    beyond = list(gaps.index[gaps["verdict"] == "beyond"])
    fair = (
        f"Beyond its limit lies the gap in {', '.join(map(str, beyond))}." if beyond else "No group's gap is shown to lie beyond its limit."
    )
    return (
        f"Of {len(y):,} customers {y.mean():.1%} ordered in later time; {float(np.mean(p)):.1%} were expected to. The fifth of customers "
        f"ranked highest holds {fifth['model']:.0%} of those who ordered, the fifth by the simple rule {fifth['simple rule']:.0%}. "
        f"{strongest.replace('_', ' ')} moves the probability most. {fair}"
    )


def _found(y: Any, scores: Mapping[str, Any]) -> dict[str, list[tuple[float, float]]]:
    shares = np.linspace(0, 1, 21)
    lines_of = {}
    for name, score in scores.items():
        running = np.append(0.0, np.cumsum(y[np.argsort(-np.asarray(score), kind="stable")]))
        lines_of[name] = [(float(s), float(running[round(s * len(y))] / max(y.sum(), 1))) for s in shares]
    return lines_of
