"""Does the effect fade, and does it differ between groups?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from lakehouse.science.experiments.compare import compare_means
from lakehouse.science.experiments.estimate import Floats
from lakehouse.science.experiments.multiplicity import holm
from lakehouse.science.unfit import UnfitData


@dataclass(frozen=True)
class Novelty:
    """early, late: the effect in the first and the second half; fading: late − early with its error and
    p-value."""

    early: float
    late: float
    fading: float
    error: float
    p_value: float


def novelty(effect: Floats, error: Floats) -> Novelty:
    """Compare the two halves of a series of effects by days since exposure.

    effect, error: (D,) with D at least 4, of disjoint observations. Halves are pooled by inverse variance and
    compared by z. By days since each unit's exposure, not by date, so that it is not the season that is
    tested.
    """
    if len(effect) < 4 or len(effect) != len(error):
        raise UnfitData(f"novelty: {len(effect)} effects, {len(error)} errors; give at least four of both.")
    weight, half = 1 / error**2, len(effect) // 2
    parts = (slice(0, half), slice(half, None))
    means = [float((weight[part] * effect[part]).sum() / weight[part].sum()) for part in parts]
    spread = math.sqrt(sum(1 / float(weight[part].sum()) for part in parts))
    change = means[1] - means[0]
    return Novelty(means[0], means[1], change, spread, float(2 * stats.norm.sf(abs(change) / spread)))


def heterogeneity(
    outcome: Floats,
    treated: npt.NDArray[np.bool_],
    segment: npt.NDArray[np.generic],
    *,
    level: float = 0.9,
) -> tuple[pd.DataFrame, float]:
    """Effect per segment, and one p-value for "all the same" (Cochran's Q, segments − 1 degrees of freedom).

    The table: `segment`, `units`, `effect`, `error`, `low`, `high`, `p_value`, `adjusted_p` (Holm over
    segments). Segments must be known before the assignment. Those with fewer than two units in an arm are
    left out.
    """
    rows = []
    for one in np.unique(segment):
        arms = [outcome[(segment == one) & (treated == arm)] for arm in (False, True)]
        if min(len(arm) for arm in arms) < 2:
            continue
        found = compare_means(arms[0], arms[1], level=level)
        rows.append((one, found.units, found.effect, found.error, found.low, found.high, found.p_value))
    if len(rows) < 2:
        raise UnfitData(f"heterogeneity: {len(rows)} segments have units in both arms; at least two are needed.")
    names = ["segment", "units", "effect", "error", "low", "high", "p_value"]
    table = pd.DataFrame(rows, columns=names)
    table["adjusted_p"] = holm(table["p_value"].to_numpy(dtype=np.float64))
    weight = 1 / table["error"] ** 2
    common = (weight * table["effect"]).sum() / weight.sum()
    q = float((weight * (table["effect"] - common) ** 2).sum())
    return table, float(stats.chi2.sf(q, len(table) - 1))
