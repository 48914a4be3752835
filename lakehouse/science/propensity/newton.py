"""Maximum likelihood of a logistic regression by Newton's method."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lakehouse.science.propensity.unfit import UnfitData, Vector

STEPS = 100
TOLERANCE = 1e-9
ROUNDING = 1e-12


def sigmoid(log_odds: Vector) -> Vector:
    """σ(z) = 1 / (1 + e^−z), without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -log_odds)))


def newton_logistic(
    x: NDArray[np.float64],
    y: Vector,
    ridge: Vector,
    offset: Vector | None = None,
    weights: Vector | None = None,
) -> Vector:
    """β minimising Σ wᵢ[log(1 + e^ηᵢ) − yᵢηᵢ] + ½ Σ ridgeⱼβⱼ², η = offset + xβ; shape (columns of x,).

    Newton–Raphson with the step halved until the loss falls (McCullagh & Nelder 1989, §2.5); ends when the
    largest component of the gradient is below 1e−9 per row.

    Raises:
        UnfitData: no finite optimum: the columns separate the classes, or repeat one another without penalty.
    """
    base = np.zeros(len(y)) if offset is None else offset
    w = np.ones(len(y)) if weights is None else weights
    beta = np.zeros(x.shape[1])
    loss = _loss(x, y, ridge, base, w, beta)
    for _ in range(STEPS):
        p = sigmoid(base + x @ beta)
        gradient = x.T @ (w * (p - y)) + ridge * beta
        if np.max(np.abs(gradient)) <= TOLERANCE * max(len(y), 1):
            return beta
        hessian = (x.T * (w * p * (1 - p))) @ x + np.diag(ridge)
        try:
            step = np.linalg.solve(hessian, gradient)
        except np.linalg.LinAlgError as error:
            raise UnfitData(f"{len(beta)} columns repeat one another; leave some out or give penalty > 0") from error
        size = 1.0
        while True:
            trial = beta - size * step
            lower = _loss(x, y, ridge, base, w, trial)
            if lower <= loss + ROUNDING * (1 + abs(loss)):
                break
            size /= 2
            if size < 1e-10:
                raise UnfitData("the loss does not fall along Newton's step; give penalty > 0")
        beta, loss = trial, lower
    raise UnfitData("no optimum: a column separates the classes (a leak?); leave it out or give penalty > 0")


def _loss(x: NDArray[np.float64], y: Vector, ridge: Vector, base: Vector, w: Vector, beta: Vector) -> float:
    eta = base + x @ beta
    return float(w @ (np.logaddexp(0.0, eta) - y * eta) + 0.5 * ridge @ beta**2)
