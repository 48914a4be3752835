"""The nightly verdicts on a model in use: its ripe predictions, and the people it scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lakehouse.science.propensity.candidates import slope_beyond
from lakehouse.science.propensity.drift import DRIFTED, drift
from lakehouse.science.propensity.evaluation import evaluate

LEAST = 200
Row = tuple[int, str, float, float, int, str]


def outcome_rows(ripe: pd.DataFrame, slopes: tuple[float, float]) -> list[Row]:
    """Figures of predictions whose outcome is known, by version: (version, figure, value, baseline, rows, verdict).

    Beyond: the slope's interval lies outside `slopes`, or the Brier score is no lower than the base rate's. Fewer than 200 rows, or one
    class only, give no verdict.

    Args:
        ripe: columns model_version, p (predicted) and y (happened).
        slopes: limits of the calibration slope.
    """
    found: list[Row] = []
    for version, part in ripe.groupby("model_version"):
        y: Any = part["y"].to_numpy()
        if len(part) < LEAST or y.min() == y.max():
            continue
        seen, number = evaluate(part["p"].to_numpy(), y), int(str(version))
        base = seen.rate * (1 - seen.rate)
        found += [
            (number, "later auc", seen.auc, 0.5, len(part), "within" if seen.auc_interval()[0] > 0.5 else "beyond"),
            (number, "later brier", seen.brier, base, len(part), "within" if seen.brier < base else "beyond"),
            (number, "later slope", seen.calibration_slope, 1.0, len(part), "beyond" if slope_beyond(seen, slopes) else "within"),
        ]
    return found


def drift_rows(trained: pd.DataFrame, scored: pd.DataFrame, columns: Sequence[str]) -> list[Row]:
    """Drift of each feature of the version that scores: (version, "drift of …", PSI, by chance, rows, verdict)."""
    if len(trained) < LEAST or len(scored) < LEAST:
        return []
    version = int(scored["model_version"].max())
    words = {"drifted": "beyond", "notice": "notice", "stable": "within"}
    table = drift(trained[list(columns)], scored[list(columns)])
    rows = table.reset_index()[["column", "psi", "by_chance", "verdict"]].itertuples(index=False, name=None)
    return [(version, f"drift of {name}", float(psi), max(float(c), DRIFTED), len(scored), words[v]) for name, psi, c, v in rows]
