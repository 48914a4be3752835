"""How long advertising works: weights over the periods since it ran, summing to one.

Weights that sum to one keep the unit of media: `carried` media of a steady plan equals the plan, so ceilings and
half-saturation points mean the same whatever the memory. `xp` is numpy, or pytensor.tensor inside the model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]
ADSTOCKS = ("geometric", "delayed", "weibull")


def geometric(retention: Any, lags: int, xp: Any = np) -> Any:
    """w_l ∝ α^l, l = 0 … lags − 1. retention (…, C), each within [0, 1). Broadbent (1979), J. of the Market Research
    Society 21(3). Returns (…, C, lags)."""
    weights = xp.exp(np.arange(lags) * xp.log(retention + 1e-12)[..., None])
    return weights / weights.sum(axis=-1)[..., None]


def delayed(retention: Any, peak: Any, lags: int, xp: Any = np) -> Any:
    """w_l ∝ α^((l − θ)²): strongest θ periods later. Jin, Wang, Sun, Chan, Koehler (2017), "Bayesian methods for media
    mix modeling with carryover and shape effects", Google, eq. 3. Returns (…, C, lags)."""
    distance = (np.arange(lags) - peak[..., None]) ** 2
    weights = xp.exp(distance * xp.log(retention + 1e-12)[..., None])
    return weights / weights.sum(axis=-1)[..., None]


def weibull(shape: Any, scale: Any, lags: int, xp: Any = np) -> Any:
    """w_l ∝ F(l + 1) − F(l), F(t) = 1 − exp(−(t/λ)^k): mass of a Weibull law over each period. shape k, scale λ (in
    periods) (…, C). k = 1 is geometric with α = exp(−1/λ), k > 1 has its peak later. Returns (…, C, lags)."""
    ends = np.arange(lags + 1)
    left = xp.exp(-xp.exp(shape[..., None] * (np.log(ends + 1e-9) - xp.log(scale)[..., None])))
    weights = left[..., :-1] - left[..., 1:] + 1e-12
    return weights / weights.sum(axis=-1)[..., None]


def lagged(media: Floats, lags: int, before: Floats | None = None) -> Floats:
    """media (T, …) and its past: (T, …, lags), [t, …, l] = media l periods earlier.

    before (B, …): the periods ahead of the first, the newest last; missing ones count as zero.
    """
    if lags < 1:
        raise UnfitData(f"lagged: lags = {lags}; 1 (no memory) or more.")
    past = np.zeros((lags - 1, *media.shape[1:]))
    if before is not None and lags > 1 and len(before):
        known = before[-(lags - 1) :]
        past[len(past) - len(known) :] = known
    whole = np.concatenate([past, media])
    return np.stack([whole[lags - 1 - back : len(whole) - back] for back in range(lags)], axis=-1)


def carry(media: Floats, weights: Floats, before: Floats | None = None) -> Floats:
    """What is felt in each period: Σ_l w_l · media_{t−l}. media (T, …, C), weights (C, lags) → (T, …, C)."""
    return np.einsum("...cl,cl->...c", lagged(media, weights.shape[-1], before), weights)
