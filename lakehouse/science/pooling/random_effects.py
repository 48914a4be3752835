"""Many studies of one effect: their common mean, how much true effects differ, and what a next one may
find."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]
Method = Literal["fixed", "dersimonian_laird", "reml"]


@dataclass(frozen=True)
class Pooled:
    """mean, error, low, high: of the average true effect, in the effects' unit.

    tau2: variance of true effects between studies. q: Cochran's heterogeneity, studies − 1 degrees of
    freedom, with q_p; i2: share of the observed variation that is true difference. next_low, next_high:
    prediction interval for the true effect of a further study (missing below three studies). weights (K,)
    sum to one.
    """

    mean: float
    error: float
    low: float
    high: float
    p_value: float
    tau2: float
    q: float
    q_p: float
    i2: float
    next_low: float
    next_high: float
    weights: Floats
    studies: int
    level: float


def log_risk_ratio(treated_events: Floats, treated_others: Floats, control_events: Floats, control_others: Floats) -> tuple[Floats, Floats]:
    """(effects, variances), each (K,), from 2×2 tables: ln(risk treated / risk control).

    Half an event is added to every cell of a study in which any is zero.
    """
    cells = np.stack([treated_events, treated_others, control_events, control_others]).astype(np.float64)
    a, b, c, d = cells + 0.5 * (cells == 0).any(axis=0)
    return np.log(a / (a + b)) - np.log(c / (c + d)), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def dersimonian_laird(effects: Floats, variances: Floats) -> float:
    """τ² by moments: max(0, (Q − (K − 1)) / (Σw − Σw²/Σw)), w = 1/v. Controlled Clinical Trials 7(3),
    1986."""
    weights = 1 / variances
    mean = (weights * effects).sum() / weights.sum()
    q = (weights * (effects - mean) ** 2).sum()
    scale = weights.sum() - (weights**2).sum() / weights.sum()
    return max(0.0, float((q - (len(effects) - 1)) / scale))


def reml(effects: Floats, variances: Floats, steps: int = 500) -> float:
    """τ² by restricted maximum likelihood, Fisher scoring, kept at or above zero.

    τ²⁺ = τ² + [yᵀPPy − tr P] / tr(PP), P = W − W11ᵀW/1ᵀW1, W = diag(1/(v + τ²)). Viechtbauer (2005), J. of
    Educational and Behavioral Statistics 30(3). Errors when it does not settle.
    """
    tau2 = dersimonian_laird(effects, variances)
    for _ in range(steps):
        w = 1 / (variances + tau2)
        p = np.diag(w) - np.outer(w, w) / w.sum()
        move = float((effects @ p @ p @ effects - np.trace(p)) / (p * p).sum())
        new = max(0.0, tau2 + move)
        if abs(new - tau2) < 1e-12 * (1 + tau2):
            return new
        tau2 = new
    raise UnfitData(f"reml: no convergence in {steps} steps over {len(effects)} studies; use dersimonian_laird.")


def pool(effects: Floats, variances: Floats, method: Method = "reml", *, level: float = 0.9, adjusted: bool = False) -> Pooled:
    """Pool K effects with known sampling variances.

    adjusted: Hartung–Knapp errors with t(K − 1), better with few studies (IntHout, Ioannidis, Borm 2014).
    Prediction interval: mean ± t(K − 2)·√(τ² + error²) (Higgins, Thompson, Spiegelhalter 2009, JRSS A
    172(1)). I² = (Q − (K − 1))/Q with DerSimonian–Laird, τ²/(τ² + s²) with REML, s² the typical sampling
    variance.
    """
    effects, variances = np.asarray(effects, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    count = len(effects)
    if count < 2 or len(variances) != count or variances.min() <= 0:
        raise UnfitData(f"pool: {count} effects, {len(variances)} variances; give two or more, variances above 0.")
    fixed = 1 / variances
    centre = (fixed * effects).sum() / fixed.sum()
    q = float((fixed * (effects - centre) ** 2).sum())
    if method not in ("fixed", "dersimonian_laird", "reml"):
        raise UnfitData(f"pool: method = {method!r}; choose fixed, dersimonian_laird or reml.")
    estimate = {"dersimonian_laird": dersimonian_laird, "reml": reml}.get(method)
    tau2 = estimate(effects, variances) if estimate else 0.0
    weights = 1 / (variances + tau2)
    mean = float((weights * effects).sum() / weights.sum())
    variance = 1 / float(weights.sum())
    degrees = count - 1 if adjusted else math.inf
    if adjusted:
        variance *= float((weights * (effects - mean) ** 2).sum()) / (count - 1)
    error = math.sqrt(variance)
    tail = (1 - level) / 2
    law = stats.t(degrees) if adjusted else stats.norm
    typical = (count - 1) * fixed.sum() / (fixed.sum() ** 2 - (fixed**2).sum())
    i2 = tau2 / (tau2 + typical) if method == "reml" else max(0.0, (q - (count - 1)) / q) if q else 0.0
    spread = math.sqrt(tau2 + error**2) * float(stats.t.isf(tail, count - 2)) if count > 2 else math.nan
    return Pooled(
        mean=mean,
        error=error,
        low=mean - float(law.isf(tail)) * error,
        high=mean + float(law.isf(tail)) * error,
        p_value=float(2 * law.sf(abs(mean) / error)),
        tau2=tau2,
        q=q,
        q_p=float(stats.chi2.sf(q, count - 1)),
        i2=float(i2),
        next_low=mean - spread,
        next_high=mean + spread,
        weights=np.asarray(weights / weights.sum(), dtype=np.float64),
        studies=count,
        level=level,
    )
