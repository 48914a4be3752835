"""How good predicted probabilities are: they must rank, and they must mean what they say."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lakehouse.science.propensity.newton import newton_logistic
from lakehouse.science.propensity.unfit import UnfitData, Vector, binary, numbers

SMALLEST = 1e-12


@dataclass(frozen=True)
class Evaluation:
    """Figures of one set of rows; perfect probabilities have calibration intercept 0, slope 1."""

    rows: int
    positives: int
    rate: float
    mean_probability: float
    auc: float
    auc_standard_error: float
    pr_auc: float
    brier: float
    log_loss: float
    calibration_intercept: float
    calibration_slope: float

    def auc_interval(self, z: float = 1.959964) -> tuple[float, float]:
        """AUC ± z standard errors, within 0 and 1 (95 % unless told)."""
        half = z * self.auc_standard_error
        return max(0.0, self.auc - half), min(1.0, self.auc + half)

    def is_calibrated(self, slope: tuple[float, float] = (0.9, 1.1), intercept: float = 0.25) -> bool:
        """The slope lies within the limits and the intercept (log odds) is not further from 0 than told."""
        return slope[0] <= self.calibration_slope <= slope[1] and abs(self.calibration_intercept) <= intercept

    def metrics(self) -> dict[str, float]:
        """All figures by name, for a metrics store."""
        return {name: float(value) for name, value in asdict(self).items()}


def evaluate(probability: ArrayLike, label: ArrayLike) -> Evaluation:
    """Discrimination, accuracy and calibration of probabilities against what happened.

    * AUC = P(p⁺ > p⁻) + ½·P(p⁺ = p⁻) by ranks (Hanley & McNeil 1982, Radiology 143); its standard error by
      DeLong, DeLong & Clarke-Pearson (1988, Biometrics 44).
    * PR-AUC = Σ (Rₙ − Rₙ₋₁)·Pₙ over distinct thresholds: average precision (Davis & Goadrich 2006, ICML).
      A model without skill has the base rate.
    * Brier = mean (p − y)² (Brier 1950, Monthly Weather Review 78).
    * log loss = −mean[y·log p + (1 − y)·log(1 − p)], p kept 1e−12 off 0 and 1 (Good 1952, JRSS B 14).
    * calibration slope b of logit P(y=1) = a + b·logit p, and calibration intercept a with b fixed at 1
      (Cox 1958, Biometrika 45; Van Calster et al. 2019, BMC Medicine 17). Slope below 1: too extreme;
      intercept below 0: too high on the whole. Constant p has slope NaN, perfect ranking an infinite one.

    Args:
        probability: between 0 and 1, one per row.
        label: 0 or 1, one per row, both occurring.

    Raises:
        UnfitData: lengths differ, values out of range or missing, one class only.
    """
    y = binary(label, "label")
    p = numbers(probability, "probability", len(y))
    if p.min() < 0 or p.max() > 1:
        raise UnfitData(f"probability: received values from {p.min():g} to {p.max():g}; 0 to 1 is valid")
    order = np.lexsort((y, p))
    p, y = p[order], y[order]
    auc, error = _auc(p, y)
    kept = np.clip(p, SMALLEST, 1 - SMALLEST)
    intercept, slope = _calibration(np.log(kept) - np.log1p(-kept), y, auc)
    return Evaluation(
        rows=len(y),
        positives=int(y.sum()),
        rate=float(y.mean()),
        mean_probability=float(p.mean()),
        auc=auc,
        auc_standard_error=error,
        pr_auc=_average_precision(p, y),
        brier=float(np.mean((p - y) ** 2)),
        log_loss=float(-np.mean(y * np.log(kept) + (1 - y) * np.log1p(-kept))),
        calibration_intercept=intercept,
        calibration_slope=slope,
    )


def groups_by_size(values: Vector, groups: int) -> list[NDArray[np.int64]]:
    """Row numbers in up to `groups` groups of rising values and about equal size; equal values stay together."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - count / 2
    group = np.floor(groups * middle / len(values)).astype(np.int64)[place]
    return [np.flatnonzero(group == one) for one in np.unique(group)]


def reliability(probability: ArrayLike, label: ArrayLike, groups: int = 10) -> pd.DataFrame:
    """Mean probability beside the observed rate in groups of about equal size, lowest probabilities first.

    Columns: rows, mean_probability, rate, low, high (Wilson's 95 % interval of the rate, 1927, JASA 22).
    """
    y = binary(label, "label", both=False)
    p = numbers(probability, "probability", len(y))
    rows = []
    for part in groups_by_size(p, groups):
        n, rate = len(part), float(y[part].mean())
        z2 = 1.959964**2
        centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
        half = 1.959964 * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        rows.append((n, float(p[part].mean()), rate, centre - half, centre + half))
    return pd.DataFrame(rows, columns=["rows", "mean_probability", "rate", "low", "high"])


def _auc(p: Vector, y: Vector) -> tuple[float, float]:
    positive, negative = p[y == 1], p[y == 0]
    m, n = len(positive), len(negative)
    over_negative = (np.searchsorted(negative, positive, "left") + np.searchsorted(negative, positive, "right")) / (2 * n)
    under_positive = 1 - (np.searchsorted(positive, negative, "left") + np.searchsorted(positive, negative, "right")) / (2 * m)
    spread = np.var(over_negative, ddof=1) / m if m > 1 else 0.0
    spread += np.var(under_positive, ddof=1) / n if n > 1 else 0.0
    return float(over_negative.mean()), float(math.sqrt(spread))


def _average_precision(p: Vector, y: Vector) -> float:
    falling_p, falling_y = p[::-1], y[::-1]
    last_of_threshold = np.append(np.diff(falling_p) != 0, True)
    hits = np.cumsum(falling_y)[last_of_threshold]
    shown = (np.arange(len(y)) + 1)[last_of_threshold]
    gained = np.diff(hits, prepend=0.0) / y.sum()
    return float(np.sum(gained * hits / shown))


def _calibration(log_odds: Vector, y: Vector, auc: float) -> tuple[float, float]:
    none = np.zeros(1)
    intercept = float(newton_logistic(np.ones((len(y), 1)), y, none, offset=log_odds)[0])
    if np.ptp(log_odds) < 1e-9:
        return intercept, math.nan
    if auc in (0.0, 1.0):
        return intercept, math.inf if auc == 1.0 else -math.inf
    return intercept, float(newton_logistic(np.column_stack([np.ones(len(y)), log_odds]), y, np.zeros(2))[1])
