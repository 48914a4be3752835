"""Logistic regression with a ridge penalty, its probabilities calibrated on rows it was not fitted on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lakehouse.science.propensity.encoding import Encoding, Feature, learn_encoding
from lakehouse.science.propensity.newton import newton_logistic, sigmoid
from lakehouse.science.propensity.unfit import UnfitData, Vector, binary

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class CalibratedLogistic:
    """P(y = 1 | x) = σ(a + b·(β₀ + xᵀβ)): plain numbers, the same on every machine, kept as JSON."""

    encoding: Encoding
    intercept: float
    coefficients: tuple[float, ...]
    calibration_intercept: float
    calibration_slope: float
    rows: int
    positives: int
    penalty: float

    def raw_log_odds(self, features: pd.DataFrame) -> Vector:
        """β₀ + xᵀβ before calibration, one per row."""
        return np.asarray(self.intercept + self.encoding.matrix(features) @ np.asarray(self.coefficients))

    def log_odds(self, features: pd.DataFrame) -> Vector:
        """Calibrated log odds, one per row."""
        return np.asarray(self.calibration_intercept + self.calibration_slope * self.raw_log_odds(features))

    def probability(self, features: pd.DataFrame) -> Vector:
        """P(y = 1) between 0 and 1, one per row."""
        return sigmoid(self.log_odds(features))

    def to_json(self) -> str:
        """Everything needed to score, as JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True, indent=1)

    @staticmethod
    def from_json(text: str) -> CalibratedLogistic:
        """The model that `to_json` wrote."""
        parts = json.loads(text)
        features = []
        for one in parts.pop("encoding")["features"]:
            plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in one.items()}
            features.append(Feature(**plain))
        parts["coefficients"] = tuple(parts["coefficients"])
        return CalibratedLogistic(encoding=Encoding(tuple(features)), **parts)


def fit_calibrated_logistic(
    features: pd.DataFrame,
    label: ArrayLike,
    *,
    penalty: float = 1.0,
    log1p: Sequence[str] | Literal["auto"] = "auto",
    hinges: Sequence[str] = (),
    groups: Sequence[Any] | None = None,
    folds: int = 10,
) -> CalibratedLogistic:
    """Fit β by penalised maximum likelihood, then a and b on out-of-fold log odds.

    β minimises Σ[log(1 + e^η) − y·η] + penalty/2·‖β‖² on standardised features (Hoerl & Kennard's ridge in
    Le Cessie & van Houwelingen 1992, Applied Statistics 41); a and b are Platt's scaling (1999) on the log
    odds of rows left out of each fit, so overfitting shrinks the probabilities. Where b ≤ 0 (nothing learnt
    that holds on other rows), every row gets the base rate. The order of rows changes no bit of the result.

    Args:
        features: one row per customer and date; numbers, booleans, decimals or texts, see `learn_encoding`.
        label: 0 or 1 per row.
        penalty: ridge penalty on the standardised coefficients, at least 0.
        log1p: columns taken as logarithm, or "auto".
        hinges: columns that get a curve instead of a line.
        groups: who a row belongs to; rows of one customer are kept in one fold.
        folds: number of folds for the calibration, at least 2.

    Raises:
        UnfitData: lengths differ, one class only, fewer than 2 rows of a class per fold, unusable columns.
    """
    y = binary(label, "label", len(features))
    if penalty < 0 or folds < 2:
        raise UnfitData(f"received penalty={penalty}, folds={folds}; penalty ≥ 0 and folds ≥ 2 are valid")
    rarer = int(min(y.sum(), len(y) - y.sum()))
    if rarer < 2 * folds:
        raise UnfitData(f"label: {rarer} rows of the rarer class, {2 * folds} needed for {folds} folds: widen the period")
    encoding = learn_encoding(features, log1p, hinges)
    x = encoding.matrix(features)
    owners = None if groups is None else np.asarray([crc32(str(group).encode()) for group in groups])
    order = np.lexsort((*(() if owners is None else (owners,)), *x.T, y))
    x, y = np.ascontiguousarray(x[order]), y[order]
    fold = np.arange(len(y)) % folds if owners is None else owners[order] % folds
    intercept, slope = _calibration(x, y, fold, penalty)
    beta = newton_logistic(_with_ones(x), y, _ridge(x, penalty))
    return CalibratedLogistic(
        encoding,
        float(beta[0]),
        tuple(float(b) for b in beta[1:]),
        intercept,
        slope,
        len(y),
        int(y.sum()),
        penalty,
    )


def recalibrated(model: CalibratedLogistic, features: pd.DataFrame, label: ArrayLike) -> CalibratedLogistic:
    """The same model with a and b fitted on these (newer) rows.

    Raises:
        UnfitData: one class only, or the log odds separate the classes.
    """
    y = binary(label, "label", len(features))
    raw = model.raw_log_odds(features)
    intercept, slope = newton_logistic(np.column_stack([np.ones(len(y)), raw]), y, np.zeros(2))
    return replace(model, calibration_intercept=float(intercept), calibration_slope=float(slope))


def _calibration(x: Matrix, y: Vector, fold: NDArray[np.int64], penalty: float) -> tuple[float, float]:
    raw = np.zeros(len(y))
    for held in np.unique(fold):
        out = fold == held
        if len(np.unique(y[~out])) < 2:
            raise UnfitData(f"groups: without fold {held} only one class is left; use fewer folds or finer groups")
        beta = newton_logistic(_with_ones(x[~out]), y[~out], _ridge(x, penalty))
        raw[out] = _with_ones(x[out]) @ beta
    intercept, slope = newton_logistic(np.column_stack([np.ones(len(y)), raw]), y, np.array([0.0, 1e-6]))
    if slope > 0:
        return float(intercept), float(slope)
    rate = float(y.mean())
    return float(np.log(rate / (1 - rate))), 0.0


def _with_ones(x: Matrix) -> Matrix:
    return np.column_stack([np.ones(len(x)), x])


def _ridge(x: Matrix, penalty: float) -> Vector:
    return np.concatenate([[0.0], np.full(x.shape[1], penalty)])
