"""Intervals that hold at every moment at once: look as often as you like, stop when you like.

Normal-mixture boundary (Robbins 1970, Annals of Math. Statistics 41(5)), valid for large samples as an
asymptotic
confidence sequence: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024), "Time-uniform central limit theory
and asymptotic confidence sequences", Annals of Statistics 52(6).
"""

from __future__ import annotations

import math

import numpy as np

from lakehouse.science.experiments.estimate import Floats
from lakehouse.science.unfit import UnfitData


def tuning(alpha: float, units: float) -> float:
    """ρ that makes the interval nearly narrowest after `units` observations.

    ρ² = (−2 ln α + ln(−2 ln α) + 1) / units (there, Appendix B.2).
    """
    if not 0 < alpha < 1 or units <= 0:
        raise UnfitData(f"tuning: alpha = {alpha}, units = {units}; give a share and the planned size.")
    log = -2 * math.log(alpha)
    return math.sqrt((log + math.log(log) + 1) / units)


def half_width(error: Floats, units: Floats, rho: float, alpha: float = 0.10) -> Floats:
    """How far the interval reaches at each moment.

    error: (T,) standard error of the estimate then; units: (T,) observations so far; rho: from `tuning`,
    fixed before the start. error · √( 2(nρ² + 1)/(nρ²) · ln(√(nρ² + 1)/α) ).
    """
    mixed = np.asarray(units, dtype=np.float64) * rho**2
    return np.asarray(error) * np.sqrt(2 * (mixed + 1) / mixed * np.log(np.sqrt(mixed + 1) / alpha))


def always_valid_p(statistic: Floats, units: Floats, rho: float) -> Floats:
    """(T,) p-values that may be read at any moment: they never rise, and fall below α in at most a share α of
    experiments without effect, over all time.

    statistic: (T,) estimate ÷ standard error. 1/Λ with Λ = (1 + nρ²)^(−½) exp(nρ² z² / (2(1 + nρ²))).
    """
    mixed = np.asarray(units, dtype=np.float64) * rho**2
    log = mixed * np.asarray(statistic) ** 2 / (2 * (1 + mixed)) - np.log1p(mixed) / 2
    return np.minimum.accumulate(np.minimum(np.exp(-log), 1.0))


def difference_sequence(
    control: Floats, treatment: Floats, planned: int, alpha: float = 0.10, start: int = 30
) -> tuple[Floats, Floats, Floats]:
    """(effect, low, high), each (T,), after the n-th unit of both arms, n = start … T + start − 1.

    control, treatment: (N,) in order of arrival. planned: units per arm at which it should be narrowest.
    Before `start` units per arm the large-sample argument is not trusted and nothing is given.
    """
    if len(control) != len(treatment) or len(control) < start:
        raise UnfitData(
            f"difference_sequence: {len(control)} and {len(treatment)} units; give as many of both, "
            f"at least {start} (lower `start` at your own risk)."
        )
    n = np.arange(1, len(control) + 1, dtype=np.float64)
    mean, variance = np.zeros(len(n)), np.zeros(len(n))
    for sign, arm in ((-1.0, control), (1.0, treatment)):
        centred = arm - arm[0]
        average = np.cumsum(centred) / n
        mean += sign * (average + arm[0])
        variance += np.maximum(np.cumsum(centred**2) / n - average**2, 0.0)
    width = half_width(np.sqrt(variance / n), n, tuning(alpha, planned), alpha)
    kept = slice(start - 1, None)
    return mean[kept], (mean - width)[kept], (mean + width)[kept]
