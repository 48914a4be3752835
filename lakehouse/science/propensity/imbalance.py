"""Remedies for rare classes, each beside the untouched baseline; they touch training folds only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lakehouse.science.propensity.cross_validation import stratified_folds
from lakehouse.science.propensity.encoding import learn_encoding
from lakehouse.science.propensity.evaluation import evaluate
from lakehouse.science.propensity.newton import newton_logistic, sigmoid
from lakehouse.science.propensity.unfit import Vector, binary, one_of

Matrix = NDArray[np.float64]
Remedy = Literal["untouched", "weights", "undersample", "smote"]
Rows = tuple[Matrix, Vector, Vector]
Learner = Callable[[Matrix, Vector, Vector], Callable[[Matrix], Vector]]
FIGURES = ["auc", "pr_auc", "brier", "log_loss", "calibration_intercept", "calibration_slope"]


def rebalanced(x: Matrix, y: Vector, remedy: Remedy, draw: np.random.Generator) -> Rows:
    """Training rows after a remedy: (x, y, weights).

    * weights: n ÷ (2·n_class) (King & Zeng 2001, Political Analysis 9)
    * undersample: all rows of the rarer class, as many of the other without replacement
    * smote: new rows x + u·(x' − x), u uniform, x' one of the 5 nearest of the rarer class, until classes are
      equal (Chawla et al. 2002, JAIR 16)
    """
    one_of(remedy, get_args(Remedy), "remedy")
    ones = np.ones(len(y))
    rare = 1.0 if y.sum() <= len(y) / 2 else 0.0
    few, many = np.flatnonzero(y == rare), np.flatnonzero(y != rare)
    if remedy == "weights":
        return x, y, np.where(y == rare, len(y) / (2 * len(few)), len(y) / (2 * len(many)))
    if remedy == "undersample":
        kept = np.sort(np.concatenate([few, draw.choice(many, len(few), replace=False)]))
        return x[kept], y[kept], ones[kept]
    if remedy == "smote":
        new = _between_neighbours(x[few], len(many) - len(few), draw)
        return np.vstack([x, new]), np.append(y, np.full(len(new), rare)), np.ones(len(y) + len(new))
    return x, y, ones


def logistic_learner(x: Matrix, y: Vector, weights: Vector) -> Callable[[Matrix], Vector]:
    """Logistic regression with ridge 1."""
    ridge = np.append(0.0, np.ones(x.shape[1]))
    beta = newton_logistic(np.column_stack([np.ones(len(x)), x]), y, ridge, weights=weights)
    return lambda new: sigmoid(beta[0] + new @ beta[1:])


def compare_remedies(
    features: pd.DataFrame,
    label: ArrayLike,
    *,
    remedies: Sequence[Remedy] = ("weights", "undersample", "smote"),
    learner: Learner = logistic_learner,
    folds: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    """Out-of-fold figures of each remedy below those of the untouched baseline.

    Encoding is learnt and rows are rebalanced inside each training fold; every row is judged as it came.

    Returns:
        Frame indexed by remedy, first "untouched"; the figures of `evaluate`, and `promotable`: neither the
        Brier score nor the distance of the calibration slope from 1 is worse than the baseline's.
    """
    y = binary(label, "label", len(features))
    fold = stratified_folds(y, folds, seed)
    encoded = []
    for held in range(folds):
        encoding = learn_encoding(features[fold != held])
        encoded.append((encoding.matrix(features[fold != held]), encoding.matrix(features[fold == held])))
    rows = {}
    for remedy in ("untouched", *remedies):
        draw = np.random.default_rng(seed)
        p = np.empty(len(y))
        for held, (train, test) in enumerate(encoded):
            p[fold == held] = learner(*rebalanced(train, y[fold != held], remedy, draw))(test)
        rows[remedy] = evaluate(p, y).metrics()
    table = pd.DataFrame.from_dict(rows, orient="index")[FIGURES]
    base = table.loc["untouched"]
    off = (table["calibration_slope"] - 1).abs()
    table["promotable"] = (table["brier"] <= base["brier"]) & (off <= abs(base["calibration_slope"] - 1))
    return table


def _between_neighbours(few: Matrix, wanted: int, draw: np.random.Generator) -> Matrix:
    from scipy.spatial import cKDTree

    nearest = min(5, len(few) - 1)
    if nearest < 1 or wanted < 1:
        return np.empty((0, few.shape[1]))
    neighbours = cKDTree(few).query(few, nearest + 1)[1][:, 1:]
    base = draw.integers(0, len(few), wanted)
    other = neighbours[base, draw.integers(0, nearest, wanted)]
    return np.asarray(few[base] + draw.random((wanted, 1)) * (few[other] - few[base]))
