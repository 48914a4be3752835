"""The baseline's coefficients, integrated out: they are normal a priori and enter linearly, so nobody needs to sample them.

With residuals r[t,g] = y − μ₀ − media, columns z[t,g], prior deviations S, noise σ[g] and n[t] whether a period counts:

    A = I + S (Σ_g Σ_t n z zᵀ / σ²) S = L Lᵀ,   v = S Σ n z r / σ²
    log p(y | θ) = −½ [Σ n (log 2πσ² + r²/σ²) + 2 Σ log L_kk − |L⁻¹v|²]
    coefficients | y, θ ~ S · Normal(A⁻¹ v, A⁻¹)

Lindley & Smith (1972), "Bayes estimates for the linear model", J. of the Royal Statistical Society B 34(1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEVEL, LEVEL_SPREAD, SPREAD = 0.7, 0.5, 0.3
LEARNED = {"wander_step": "pace", "level_geo": "level_apart"}


def groups(geos: int, trends: int, seasons: int, knots: int, controls: int) -> dict[str, int]:
    """Coefficients by name, with how many there are, in the order of the columns."""
    found = {"level": 1, "trend_step": trends, "season": seasons, "wander_step": knots, "control": controls}
    return {name: count for name, count in {**found, "level_geo": geos if geos > 1 else 0}.items() if count}


def slices(sizes: dict[str, int]) -> Iterator[tuple[str, slice]]:
    """Where each group stands among the columns."""
    at = 0
    for name, count in sizes.items():
        yield name, slice(at, at + count)
        at += count


def columns(trend: Floats, seasons: Floats, wander: Floats, controls: Floats) -> Floats:
    """z (T, G, K) from columns over time (T, ·) and controls (T, G, ·)."""
    periods, geos, _ = controls.shape
    common = np.concatenate([np.ones((periods, 1)), trend, seasons, wander], axis=1)
    parts = [np.repeat(common[:, None, :], geos, axis=1), controls]
    if geos > 1:
        parts.append(np.repeat(np.eye(geos)[None], periods, axis=0))
    return np.concatenate(parts, axis=2)


def spreads(sizes: dict[str, int]) -> Floats:
    """(3, K): prior deviations that are fixed, and which columns are scaled by `pace` and by `level_apart` instead."""
    found = np.zeros((3, sum(sizes.values())))
    for name, where in slices(sizes):
        row = 1 + list(LEARNED).index(name) if name in LEARNED else 0
        found[row, where] = 1.0 if row else LEVEL_SPREAD if name == "level" else SPREAD
    return found


def log_density(residual: Any, counts: Any, z: Any, gram: Any, spread: Any, noise: Any) -> Any:
    """log p(y | θ) in PyTensor. residual (T, G) with the prior mean of the level taken off; gram (G, K, K) = Σ_t n z zᵀ."""
    import pytensor.tensor as pt

    precision = 1 / noise**2
    weighed = residual * counts[:, None] * precision
    inner = pt.eye(spread.shape[0]) + spread[:, None] * (gram * precision[:, None, None]).sum(axis=0) * spread
    root = pt.linalg.cholesky(inner)
    pulled = pt.linalg.solve_triangular(root, spread * (weighed[:, :, None] * z).sum(axis=(0, 1)), lower=True)
    flat = counts.sum() * pt.log(2 * np.pi * noise**2).sum() + (weighed * residual).sum()
    return -0.5 * (flat + 2 * pt.log(pt.diag(root)).sum() - (pulled**2).sum())


def _solved(residual: Floats, counts: Floats, z: Floats, spread: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """(L (S, K, K), v (S, K)) for S draws: residual (S, T, G), spread (S, K), noise (S, G)."""
    precision = 1 / noise**2
    gram = np.einsum("tgk,tgj,t->gkj", z, z, counts, optimize=True)
    inner = np.eye(z.shape[-1]) + spread[:, :, None] * np.einsum("gkj,sg->skj", gram, precision) * spread[:, None, :]
    pulled = spread * np.einsum("stg,t,sg,tgk->sk", residual, counts, precision, z, optimize=True)
    return np.linalg.cholesky(inner), pulled


def coefficients(residual: Floats, counts: Floats, z: Floats, spread: Floats, noise: Floats, seed: int = 0) -> Floats:
    """(S, K) one draw of the coefficients given y, for each draw of everything else; shapes as in `log_densities`."""
    root, pulled = _solved(residual, counts, z, spread, noise)
    shaken = np.random.default_rng(seed).normal(size=pulled.shape)
    first = np.linalg.solve(root, pulled[:, :, None]) + shaken[:, :, None]
    return np.asarray(spread * np.linalg.solve(root.transpose(0, 2, 1), first)[:, :, 0], dtype=np.float64)


def log_densities(residual: Floats, counts: Floats, z: Floats, spread: Floats, noise: Floats) -> Floats:
    """(S,) log p(y | θ) as `log_density`, for S draws: residual (S, T, G), spread (S, K), noise (S, G)."""
    root, pulled = _solved(residual, counts, z, spread, noise)
    half = np.linalg.solve(root, pulled[:, :, None])[:, :, 0]
    squares = np.einsum("stg,t,sg->s", residual**2, counts, 1 / noise**2, optimize=True)
    flat = counts.sum() * np.log(2 * np.pi * noise**2).sum(axis=1) + squares
    diagonal = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    return np.asarray(-0.5 * (flat + 2 * diagonal - (half**2).sum(axis=1)), dtype=np.float64)
