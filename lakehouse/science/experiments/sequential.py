"""Group sequential stopping, with boundaries integrated exactly rather than simulated.

At look k of K the statistic is Z_k; S_k = Z_k·√t_k is a Brownian motion at information time t_k. Its density
on
the paths that have not stopped follows by repeated integration: Armitage, McPherson & Rowe (1969), JRSS A
132(2).
Boundaries: Pocock (1977), Biometrika 64(2); O'Brien & Fleming (1979), Biometrics 35(3); spending for looks
not
planned: Lan & DeMets (1983), Biometrika 70(3).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from lakehouse.science.experiments.estimate import Floats
from lakehouse.science.unfit import UnfitData

Shape = Literal["obrien_fleming", "pocock"]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(201)
_FAR = 9.0


def equal_looks(looks: int) -> Floats:
    """(K,) information times 1/K, 2/K, …, 1."""
    if looks < 1:
        raise UnfitData(f"looks = {looks}: plan at least one.")
    return np.arange(1, looks + 1) / looks


def crossing(boundaries: Floats, times: Floats, drift: float = 0.0, *, two_sided: bool = True) -> Floats:
    """(K,) chance of stopping first at each look; their sum is the error rate (drift 0) or the power.

    boundaries: (K,) on the scale of Z. times: (K,) increasing information times, the last usually 1.
    drift: expected Z at time 1. One-sided: only Z ≥ boundary stops.
    """
    gaps = np.diff(times, prepend=0.0)
    if len(boundaries) != len(times) or np.any(gaps < 0.01 * times):
        raise UnfitData(
            f"crossing: {len(boundaries)} boundaries at times {times}; give one per look, at increasing "
            f"times, "
            "each at least 1 % later than the one before."
        )
    stop = np.zeros(len(times))
    alive, points, mass = 1.0, np.zeros(1), np.ones(1)
    for look, (bound, time, gap) in enumerate(zip(boundaries, times, gaps, strict=True)):
        top, centre, room = bound * np.sqrt(time), drift * time, _FAR * np.sqrt(time)
        low = max(-top, centre - room) if two_sided else min(centre, 0.0) - room
        high = max(min(top, centre + room), low)
        nodes = low + (high - low) * (_NODES + 1) / 2
        density = stats.norm.pdf(nodes[:, None], points[None, :] + drift * gap, np.sqrt(gap)) @ mass
        points, mass = nodes, density * _WEIGHTS * (high - low) / 2
        still = float(mass.sum())
        stop[look], alive = max(alive - still, 0.0), still
    return stop


def naive_error(looks: int, level: float = 0.9) -> float:
    """The true error rate of stopping at the first of `looks` equal peeks whose fixed interval leaves out
    zero."""
    reach = float(stats.norm.isf((1 - level) / 2))
    return float(crossing(np.full(looks, reach), equal_looks(looks)).sum())


def _shape(shape: Shape, times: Floats) -> Floats:
    if shape not in ("obrien_fleming", "pocock"):
        raise UnfitData(f"shape = {shape!r}: choose 'obrien_fleming' or 'pocock'.")
    return 1 / np.sqrt(times / times[-1]) if shape == "obrien_fleming" else np.ones_like(times)


def boundaries(shape: Shape, times: Floats, alpha: float = 0.10, *, two_sided: bool = True) -> Floats:
    """(K,) on the scale of Z: constant (Pocock) or c/√t (O'Brien–Fleming), of total error exactly `alpha`."""
    form = _shape(shape, times)
    constant = brentq(lambda c: crossing(c * form, times, two_sided=two_sided).sum() - alpha, 0.5, 8.0, xtol=1e-10)
    return form * float(constant)


def spent(shape: Shape, times: Floats, alpha: float = 0.10, *, two_sided: bool = True) -> Floats:
    """(K,) error that may be used up by each time, at time 1 all of it (Lan & DeMets).

    O'Brien–Fleming-like: 2 − 2Φ(z_{α/2}/√t), per side; Pocock-like: α·ln(1 + (e − 1)t).
    """
    _shape(shape, times)
    inside = np.minimum(times, 1.0)
    if shape == "pocock":
        return alpha * np.log1p((np.e - 1) * inside)
    sides = 2 if two_sided else 1
    return 2 * sides * stats.norm.sf(stats.norm.isf(alpha / sides / 2) / np.sqrt(inside))


def spending_boundaries(shape: Shape, times: Floats, alpha: float = 0.10, *, two_sided: bool = True) -> Floats:
    """(K,) boundaries for looks at any times, each found from those before it: later looks need not be
    known."""
    use = np.diff(np.concatenate([[0.0], spent(shape, times, alpha, two_sided=two_sided)]))
    found = np.zeros(0)
    for look, share in enumerate(use):
        done = found

        def excess(bound: float, done: Floats = done, look: int = look, share: float = share) -> float:
            trial = np.append(done, bound)
            return float(crossing(trial, times[: look + 1], two_sided=two_sided)[look]) - share

        # Shares too small for the integration's accuracy get a boundary that is never reached.
        bound = float(brentq(excess, 0.1, 8.0, xtol=1e-9)) if excess(8.0) < 0 else 8.0
        found = np.append(found, bound)
    return found


def inflation(bounds: Floats, times: Floats, alpha: float = 0.10, power: float = 0.8) -> float:
    """By how much the fixed sample size must grow so that the sequential test keeps its power (two-sided)."""
    fixed = stats.norm.isf(alpha / 2) + stats.norm.ppf(power)
    drift = brentq(lambda d: crossing(bounds, times, d).sum() - power, 0.1, 12.0, xtol=1e-8)
    return float((drift / fixed) ** 2)
