"""Which kind of model: the plain one, unless a challenger is better on later time beyond chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

from lakehouse.science.propensity.challengers import fit_boosting, fit_network
from lakehouse.science.propensity.cross_validation import Scorer
from lakehouse.science.propensity.evaluation import Evaluation, evaluate
from lakehouse.science.propensity.logistic import fit_calibrated_logistic
from lakehouse.science.propensity.promotion import gain

FitAll = Callable[[pd.DataFrame, Any, Any], Scorer]


@dataclass(frozen=True)
class Compared:
    """The kind chosen, its estimator of the trial, the procedure that fits it anew, and all kinds side by side."""

    kind: str
    chosen: Any
    fit: FitAll
    table: pd.DataFrame

    def metrics(self) -> dict[str, float]:
        """`logistic_brier`, `boosting_gain_low`… for a metrics store."""
        rows = self.table.to_dict("index")
        return {f"{kind}_{name}": float(value) for kind, row in rows.items() for name, value in row.items() if np.isfinite(value)}


def compare_candidates(
    features: pd.DataFrame, label: Any, groups: Any, later: pd.DataFrame, later_label: Any, *, penalty: float = 1.0, margin: float = 0.01
) -> Compared:
    """Fit logistic, boosting and network on earlier rows, judge all on later ones; simple wins unless beaten.

    A challenger is chosen where its Brier score is lower than the logistic's by `margin` (a share of it) with the whole
    95 % interval, and its calibration slope is not further from 1 by more than .1.

    Args:
        features, label, groups: earlier rows, their labels and owners.
        later, later_label: rows of later time, one per owner.

    Returns:
        `Compared`; its table by kind: auc, pr_auc, brier, slope, gain, gain_low, gain_high (against logistic).
    """

    def logistic(x: pd.DataFrame, y: Any, owners: Any) -> Scorer:
        return fit_calibrated_logistic(x, y, penalty=penalty, hinges=_curved(x), groups=list(owners))

    kinds: dict[str, FitAll] = {
        "logistic": logistic,
        "boosting": lambda x, y, _: fit_boosting(x, y),
        "network": lambda x, y, _: fit_network(x, y, members=2),
    }
    fitted = {kind: fit(features, label, groups) for kind, fit in kinds.items()}
    truth = np.asarray(later_label, dtype=np.float64)
    p = {kind: one.probability(later) for kind, one in fitted.items()}
    losses = {kind: (one - truth) ** 2 for kind, one in p.items()}
    rows, best = {}, "logistic"
    for kind in kinds:
        seen, better = evaluate(p[kind], truth), gain(losses["logistic"], losses[kind])
        rows[kind] = (seen.auc, seen.pr_auc, seen.brier, seen.calibration_slope, better.gain, better.low, better.high)
        steady = abs(seen.calibration_slope - 1) <= abs(rows["logistic"][3] - 1) + 0.1
        if better.beats(margin) and steady and seen.brier < rows[best][2]:
            best = kind
    columns = ["auc", "pr_auc", "brier", "slope", "gain", "gain_low", "gain_high"]
    return Compared(best, fitted[best], kinds[best], pd.DataFrame.from_dict(rows, orient="index", columns=columns))


def slope_beyond(seen: Evaluation, allowed: tuple[float, float]) -> dict[str, str]:
    """The check "calibration" where the slope is beyond its limits by more than chance, else nothing.

    Its standard error is taken as 1 ÷ √(rows of the rarer class): that of a slope of log odds with spread about 1.
    """
    error = 1 / sqrt(max(min(seen.positives, seen.rows - seen.positives), 1))
    low, high = seen.calibration_slope - 1.96 * error, seen.calibration_slope + 1.96 * error
    if high < allowed[0] or low > allowed[1]:
        text = f"calibration slope {seen.calibration_slope:.2f} ({low:.2f} to {high:.2f}), {allowed[0]} to {allowed[1]} is allowed"
        return {"calibration": text}
    return {}


def _curved(features: pd.DataFrame) -> tuple[str, ...]:
    return tuple(name for name in ("recency_days",) if name in features.columns)
