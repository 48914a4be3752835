"""Are small studies telling a different story? Checks for what may be missing from the record."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from lakehouse.science.pooling.random_effects import Floats, Pooled, pool
from lakehouse.science.unfit import UnfitData


@dataclass(frozen=True)
class Asymmetry:
    """slope: how effects change per unit of standard error; limit: the effect a study without error would
    find."""

    slope: float
    limit: float
    statistic: float
    degrees: int
    p_value: float


def egger(effects: Floats, variances: Floats) -> Asymmetry:
    """Weighted regression of effects on their standard errors; a slope hints at missing small studies.

    Egger, Davey Smith, Schneider, Minder (1997), BMJ 315. effects, variances (K,), K at least 3; weak below
    ten.
    """
    if len(effects) < 3:
        raise UnfitData(f"egger: {len(effects)} studies; at least three are needed, ten to mean anything.")
    errors = np.sqrt(variances)
    design = np.column_stack([np.ones(len(effects)), errors]) / errors[:, None]
    response = effects / errors
    bread = np.linalg.inv(design.T @ design)
    limit, slope = bread @ design.T @ response
    degrees = len(effects) - 2
    noise = float(((response - design @ np.array([limit, slope])) ** 2).sum()) / degrees
    statistic = float(slope / math.sqrt(noise * bread[1, 1]))
    return Asymmetry(float(slope), float(limit), statistic, degrees, float(2 * stats.t.sf(abs(statistic), degrees)))


@dataclass(frozen=True)
class Filled:
    """missing: studies thought absent on `side`; pooled: the mean with their mirror images put in."""

    missing: int
    side: str
    pooled: Pooled


def trim_and_fill(effects: Floats, variances: Floats, level: float = 0.9) -> Filled:
    """Mirror the most extreme studies of the fuller side until the funnel is even (estimator L0).

    Duval & Tweedie (2000), Biometrics 56(2). The empty side is the one Egger's slope points away from. A way
    to ask "how much would it matter", not a correction.
    """
    flip = -1.0 if egger(effects, variances).slope > 0 else 1.0
    order = np.argsort(flip * effects)
    y, v = flip * effects[order], variances[order]
    count, missing = len(y), 0
    for _ in range(50):
        kept = slice(0, count) if missing == 0 else slice(missing, count)
        # After the flip the fuller side is low, so its surplus is trimmed from the front.
        centre = pool(y[kept], v[kept], "reml").mean
        away = y - centre
        ranks = stats.rankdata(np.abs(away))
        wilcoxon = ranks[away < 0].sum()
        new = max(0, round((4 * wilcoxon - count * (count + 1)) / (2 * count - 1)))
        if new == missing:
            break
        missing = min(new, count - 2)
    mirrored = 2 * centre - y[:missing]
    full = flip * np.concatenate([y, mirrored])
    side = "low" if flip < 0 else "high"
    return Filled(missing, side, pool(full, np.concatenate([v, v[:missing]]), "reml", level=level))


@dataclass(frozen=True)
class Selection:
    """chance: how likely a study not significant in the stated direction is to be seen, relative to one that
    is.

    mean, tau2: allowing for that; p_value: of "all are seen alike" (likelihood ratio).
    """

    chance: float
    mean: float
    tau2: float
    p_value: float


def selection(effects: Floats, variances: Floats, *, positive: bool = True, cut: float = 0.025) -> Selection:
    """Random effects in which one-sided p above `cut` is published with another probability.

    Three-parameter selection model: Iyengar & Greenhouse (1988); Vevea & Hedges (1995), Psychometrika 60(3).
    f(y) = φ(y; μ, v + τ²)·w(y) / E[w], w = 1 when y/√v ≥ z_cut, else `chance`. positive: direction favoured.
    """
    y, errors = effects if positive else -effects, np.sqrt(variances)
    edge = errors * stats.norm.isf(cut)
    seen = y >= edge

    def loss(theta: Floats, free: bool) -> float:
        mean, spread = theta[0], np.sqrt(variances + math.exp(theta[1]))
        chance = math.exp(theta[2]) if free else 1.0
        above = stats.norm.sf(edge, mean, spread)
        mixed = above + chance * (1 - above)
        log = stats.norm.logpdf(y, mean, spread) + np.where(seen, 0.0, math.log(chance)) - np.log(mixed)
        return -float(log.sum())

    start = pool(y, variances, "dersimonian_laird")
    first = np.array([start.mean, math.log(max(start.tau2, 1e-4)), 0.0])
    bounds = [(None, None), (-18.0, 6.0), (-5.0, 5.0)]
    plain = optimize.minimize(lambda t: loss(np.append(t, 0.0), False), first[:2], bounds=bounds[:2])
    bent = optimize.minimize(loss, np.append(plain.x, 0.0), args=(True,), bounds=bounds)
    ratio = max(0.0, 2 * (plain.fun - bent.fun))
    sign = 1.0 if positive else -1.0
    return Selection(
        float(math.exp(bent.x[2])),
        sign * float(bent.x[0]),
        float(math.exp(bent.x[1])),
        float(stats.chi2.sf(ratio, 1)),
    )
