"""How well predicted effects rank customers, judged on rows the learner never saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lakehouse.science.propensity.unfit import Vector, binary, numbers


@dataclass(frozen=True)
class Qini:
    """Qini coefficient, in outcome per customer, and its 95 % interval."""

    coefficient: float
    low: float
    high: float

    @property
    def ranks(self) -> bool:
        """The ranking is better than chance: the whole interval lies above 0."""
        return self.low > 0


def qini_curve(effect: ArrayLike, treated: ArrayLike, outcome: ArrayLike) -> pd.DataFrame:
    """Additional outcome gained by contacting the customers of highest predicted effect first.

    g(φ) = [Y₁(φ) − Y₀(φ)·N₁(φ)/N₀(φ)] ÷ N₁ with outcomes Y and counts N of both arms among the first φ of the
    ranking (Radcliffe 2007, Direct Marketing Analytics Journal). Equal effects are taken together.

    Returns:
        Frame with share (of customers contacted), gain and random (the straight line to the total), per customer.
    """
    t = binary(treated, "treated")
    tau, y = numbers(effect, "effect", len(t)), numbers(outcome, "outcome", len(t))
    order = np.argsort(-tau, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(tau[order]) != 0, True))
    gain = _gain(t[order], y[order], np.ones((1, len(t))))[0][ends]
    share = (ends + 1) / len(t)
    table = pd.DataFrame({"share": np.append(0.0, share), "gain": np.append(0.0, gain)})
    table["random"] = table["share"] * table["gain"].iloc[-1]
    return table


def qini(effect: ArrayLike, treated: ArrayLike, outcome: ArrayLike, *, draws: int = 400, seed: int = 0) -> Qini:
    """Area between the curve and the straight line, with a bootstrap interval over rows, arm by arm.

    Equal effects count as their mean place in the ranking. The interval is the normal one with the bootstrap's
    standard error (Efron & Tibshirani 1993, §12): percentiles would be shifted by the ties that resampling makes.
    """
    t = binary(treated, "treated")
    tau, y = numbers(effect, "effect", len(t)), numbers(outcome, "outcome", len(t))
    order = np.argsort(-tau, kind="stable")
    t, y, tau = t[order], y[order], tau[order]
    ends = np.flatnonzero(np.append(np.diff(tau) != 0, True))
    draw = np.random.default_rng(seed)
    found = []
    for start in range(0, draws, 50):
        weights = np.empty((min(50, draws - start), len(t)))
        for arm in (0.0, 1.0):
            rows = np.flatnonzero(t == arm)
            weights[:, rows] = draw.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), len(weights))
        found.append(_areas(t, y, weights, ends))
    whole = float(_areas(t, y, np.ones((1, len(t))), ends)[0])
    half = 1.959964 * float(np.std(np.concatenate(found), ddof=1))
    return Qini(whole, whole - half, whole + half)


def _gain(t: Vector, y: Vector, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    treated, control = weights * t, weights * (1 - t)
    n1, n0 = np.cumsum(treated, axis=1), np.cumsum(control, axis=1)
    y1, y0 = np.cumsum(treated * y, axis=1), np.cumsum(control * y, axis=1)
    gained = y1 - np.where(n0 > 0, y0 * n1 / np.maximum(n0, 1e-300), 0.0)
    return np.asarray(gained / n1[:, -1:])


def _areas(t: Vector, y: Vector, weights: NDArray[np.float64], ends: NDArray[np.int64]) -> Vector:
    share = np.cumsum(weights, axis=1)[:, ends] / weights.sum(axis=1, keepdims=True)
    gain = _gain(t, y, weights)[:, ends]
    start = np.zeros((len(weights), 1))
    share, gain = np.hstack([start, share]), np.hstack([start, gain])
    return np.asarray(np.trapezoid(gain, share, axis=1) - gain[:, -1] / 2)
