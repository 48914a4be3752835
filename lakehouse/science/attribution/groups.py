"""How sure credit is where visitors are too many to draw again and again: groups of visitors by lot, each credited on its own.

    total = Σ_g x_g,   error² = G / (G − 1) · Σ_g (x_g − x̄)²,   interval = total ± t_(G−1) · error

A visitor is in one group with all journeys, so one who converts often counts once. For rules, whose credit adds up over
visitors, this is the variance that a bootstrap over visitors tends to. Methods which learn from all journeys (Markov, Shapley,
logistic) learn from a G-th of them in a group and vary more there: their intervals are rather too wide. One pass over the
touches, where a bootstrap takes hundreds. Wolter (2007), "Introduction to Variance Estimation", 2nd ed., ch. 2.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from lakehouse.science.attribution.at_scale import by_channel, credit_touches, in_order
from lakehouse.science.attribution.paths import Floats
from lakehouse.science.unfit import UnfitData


def credit_group(touches: pd.DataFrame) -> pd.DataFrame:
    """A group's touches (as `credit_touches` takes them) → its answer, and below it what each method of `by_channel` credits to a
    channel by this group's journeys alone: rows without `campaign` and `day`, none where no journey converted."""
    placed = credit_touches(touches)
    if not (touches["conversions"] > 0).any():
        return placed
    paths = in_order(touches.sort_values(["journey", "position"], kind="stable", ignore_index=True))
    blank = by_channel(paths).assign(campaign=None, day=None)
    return pd.concat([placed.astype({"day": object}), blank[placed.columns]], ignore_index=True)


def reach(groups: int, level: float = 0.9) -> float:
    """Half an interval's width in standard errors that so many groups estimate: Student's t."""
    if groups < 2 or not 0 < level < 1:
        raise UnfitData(f"random groups: {groups} groups, level {level}; give at least 2 (20 to 50 serve), and a level such as 0.9.")
    return float(stats.t.isf((1 - level) / 2, groups - 1))


def error(parts: Floats) -> Floats:
    """Standard error (…) of the sum of groups' figures (G, …); 0 where a figure does not occur in a group."""
    return np.asarray(np.sqrt(len(parts) * parts.var(axis=0, ddof=1)), dtype=np.float64)
