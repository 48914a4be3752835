"""Gradient boosting and a small neural network, calibrated like the champion they challenge."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lakehouse.science.propensity.cross_validation import stratified_folds
from lakehouse.science.propensity.encoding import Encoding, learn_encoding
from lakehouse.science.propensity.newton import newton_logistic, sigmoid
from lakehouse.science.propensity.unfit import Vector, binary


@dataclass(frozen=True)
class CalibratedChallenger:
    """σ(a + b·logit p̂) with p̂ the mean probability of the fitted members."""

    encoding: Encoding
    members: tuple[Any, ...]
    calibration_intercept: float
    calibration_slope: float

    def log_odds(self, features: pd.DataFrame) -> Vector:
        """Calibrated log odds, one per row."""
        raw = _log_odds(self.members, self.encoding.matrix(features))
        return np.asarray(self.calibration_intercept + self.calibration_slope * raw)

    def probability(self, features: pd.DataFrame) -> Vector:
        """P(y = 1), one per row."""
        return sigmoid(self.log_odds(features))


def fit_boosting(features: pd.DataFrame, label: ArrayLike, *, seed: int = 0) -> CalibratedChallenger:
    """Gradient boosting of shallow trees (Friedman 2001, Annals of Statistics 29), calibrated."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    def one(x: Any, y: Vector) -> tuple[Any, ...]:
        return (
            HistGradientBoostingClassifier(
                max_iter=120, learning_rate=0.06, max_leaf_nodes=8, min_samples_leaf=20, l2_regularization=1,
                random_state=seed,
            ).fit(x, y),
        )  # fmt: skip

    return _calibrated(one, features, label, seed)


def fit_network(features: pd.DataFrame, label: ArrayLike, *, seed: int = 0, members: int = 3) -> CalibratedChallenger:
    """Mean of small networks (a hidden layer of 16, strong weight decay, own starts), calibrated."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    def some(x: Any, y: Vector) -> tuple[Any, ...]:
        nets = (MLPClassifier((16,), alpha=1.0, solver="lbfgs", max_iter=400, random_state=seed + i) for i in range(members))
        with warnings.catch_warnings():
            # stopping early is a further penalty, and the calibration is fitted on what came of it
            warnings.simplefilter("ignore", ConvergenceWarning)
            return tuple(net.fit(x, y) for net in nets)

    return _calibrated(some, features, label, seed)


def _calibrated(fit: Callable[[Any, Vector], tuple[Any, ...]], features: pd.DataFrame, label: ArrayLike, seed: int) -> CalibratedChallenger:
    y = binary(label, "label", len(features))
    encoding = learn_encoding(features)
    x = encoding.matrix(features)
    fold = stratified_folds(y, 5, seed)
    raw = np.empty(len(y))
    for held in range(5):
        raw[fold == held] = _log_odds(fit(x[fold != held], y[fold != held]), x[fold == held])
    intercept, slope = newton_logistic(np.column_stack([np.ones(len(y)), raw]), y, np.array([0.0, 1e-6]))
    return CalibratedChallenger(encoding, fit(x, y), float(intercept), float(max(slope, 0.0)))


def _log_odds(members: tuple[Any, ...], x: Any) -> Vector:
    p = np.mean([member.predict_proba(x)[:, 1] for member in members], axis=0)
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(p) - np.log1p(-p))
