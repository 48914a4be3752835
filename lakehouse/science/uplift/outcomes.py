"""The regressions that the learners of uplift are built from: of an outcome, and of an effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lakehouse.science.propensity.newton import newton_logistic, sigmoid
from lakehouse.science.propensity.unfit import Vector

Matrix = NDArray[np.float64]
Predict = Callable[[Matrix], Vector]
Regression = Callable[[Matrix, Vector], Predict]


def logistic(penalty: float = 10.0) -> Regression:
    """P(y = 1 | x) by logistic regression with a ridge penalty."""

    def fit(x: Matrix, y: Vector) -> Predict:
        ridge = np.append(0.0, np.full(x.shape[1], penalty))
        beta = newton_logistic(np.column_stack([np.ones(len(x)), x]), y, ridge)
        return lambda new: sigmoid(beta[0] + new @ beta[1:])

    return fit


def ridge(penalty: float = 10.0) -> Regression:
    """E[y | x] by least squares with a ridge penalty, the intercept free."""

    def fit(x: Matrix, y: Vector) -> Predict:
        middle, mean = x.mean(axis=0), float(y.mean())
        centred = x - middle
        beta = np.linalg.solve(centred.T @ centred + penalty * np.eye(x.shape[1]), centred.T @ (y - mean))
        return lambda new: np.asarray(mean + (new - middle) @ beta)

    return fit


def boosted(trees: int = 60, seed: int = 0) -> Regression:
    """E[y | x] by gradient boosting of shallow trees (squared loss, so that probabilities and effects both fit)."""

    def fit(x: Matrix, y: Vector) -> Predict:
        from sklearn.ensemble import HistGradientBoostingRegressor

        model: Any = HistGradientBoostingRegressor(
            max_iter=trees, learning_rate=0.08, max_leaf_nodes=6, min_samples_leaf=40, random_state=seed
        ).fit(x, y)
        return lambda new: np.asarray(model.predict(new), dtype=np.float64)

    return fit
