"""Several KPIs, one error rate."""

from __future__ import annotations

import numpy as np

from lakehouse.science.experiments.estimate import Floats
from lakehouse.science.unfit import UnfitData

UNADJUSTED_UP_TO = 3


def adjusted_alpha(alpha: float, kpis: int) -> float:
    """The error rate each KPI may use: `alpha` up to three KPIs, alpha/kpis beyond (Bonferroni)."""
    if not 0 < alpha < 1 or kpis < 1:
        raise UnfitData(f"adjusted_alpha: alpha = {alpha}, kpis = {kpis}; give a share and at least one KPI.")
    return alpha if kpis <= UNADJUSTED_UP_TO else alpha / kpis


def adjusted_p(p_values: Floats) -> Floats:
    """(K,) p-values times K beyond three KPIs, never above one: to be compared with the whole `alpha`."""
    factor = 1 if len(p_values) <= UNADJUSTED_UP_TO else len(p_values)
    return np.minimum(p_values * factor, 1.0)


def holm(p_values: Floats) -> Floats:
    """(K,) Holm's step-down adjustment, for segments looked at beside the declared KPIs.

    Holm (1979), Scandinavian Journal of Statistics 6(2).
    """
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
