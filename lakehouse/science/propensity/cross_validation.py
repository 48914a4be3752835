"""Figures on rows left out of the fit, and a challenger beside the champion on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lakehouse.science.propensity.evaluation import Evaluation, evaluate
from lakehouse.science.propensity.unfit import UnfitData, Vector, binary


class Scorer(Protocol):
    """Anything that gives a probability per row."""

    def probability(self, features: pd.DataFrame) -> Vector:
        """P(y = 1), one per row."""
        ...


Fit = Callable[[pd.DataFrame, Vector], Scorer]


@dataclass(frozen=True)
class CrossValidation:
    """Per repetition an evaluation over all rows; out-of-fold probabilities, shape (repeats, rows)."""

    evaluations: tuple[Evaluation, ...]
    probabilities: NDArray[np.float64]
    fold_auc: tuple[float, ...]

    @property
    def auc(self) -> float:
        """Mean AUC over folds and repetitions."""
        return float(np.mean(self.fold_auc))

    @property
    def brier(self) -> float:
        """Mean Brier score over repetitions."""
        return float(np.mean([one.brier for one in self.evaluations]))


def stratified_folds(label: ArrayLike, folds: int, seed: int = 0) -> NDArray[np.int64]:
    """A fold 0 … folds − 1 for each row, each class spread evenly, drawn from the seed.

    Raises:
        UnfitData: fewer rows of a class than folds.
    """
    y = binary(label, "label")
    rarer = int(min(y.sum(), len(y) - y.sum()))
    if not 2 <= folds <= rarer:
        raise UnfitData(f"folds: received {folds}; 2 to {rarer} (rows of the rarer class) are valid")
    draw = np.random.default_rng(seed)
    fold = np.empty(len(y), dtype=np.int64)
    for value in (0.0, 1.0):
        rows = np.flatnonzero(y == value)
        fold[draw.permutation(rows)] = np.arange(len(rows)) % folds
    return fold


def cross_validate(
    fit: Fit, features: pd.DataFrame, label: ArrayLike, *, folds: int = 5, repeats: int = 1, seed: int = 0
) -> CrossValidation:
    """Repeated stratified cross-validation (Kohavi 1995, IJCAI): models never see rows they score.

    Args:
        fit: from training features and labels to something with `probability`.
        features, label: the rows.
        folds, repeats, seed: how the rows are divided; repetition i uses the seed `seed + i`.
    """
    y = binary(label, "label", len(features))
    found, scored, fold_auc = [], np.empty((repeats, len(y))), []
    for repeat in range(repeats):
        fold = stratified_folds(y, folds, seed + repeat)
        for held in range(folds):
            out = fold == held
            p = fit(features[~out].reset_index(drop=True), y[~out]).probability(features[out])
            scored[repeat, out] = p
            fold_auc.append(evaluate(p, y[out]).auc)
        found.append(evaluate(scored[repeat], y))
    return CrossValidation(tuple(found), scored, tuple(fold_auc))


def brier_gain(
    champion: ArrayLike, challenger: ArrayLike, label: ArrayLike, *, draws: int = 1000, seed: int = 0
) -> tuple[float, float, float]:
    """How much smaller the challenger's Brier score is, with its 95 % interval: (gain, low, high).

    Paired bootstrap over rows (Efron & Tibshirani 1993, §13.3). A challenger replaces the champion only if
    low exceeds the declared margin.
    """
    y = binary(label, "label", both=False)
    gain = (np.asarray(champion) - y) ** 2 - (np.asarray(challenger) - y) ** 2
    draw = np.random.default_rng(seed)
    means = np.array([gain[draw.integers(0, len(y), len(y))].mean() for _ in range(draws)])
    low, high = np.quantile(means, [0.025, 0.975])
    return float(gain.mean()), float(low), float(high)
