"""Whether a challenger may replace the champion: better on later time by a declared margin, beyond chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lakehouse.science.propensity.unfit import UnfitData, numbers


@dataclass(frozen=True)
class Gain:
    """How much less the challenger loses per row, with its 95 % interval; relative to the champion's loss as well."""

    gain: float
    low: float
    high: float
    champion_loss: float
    challenger_loss: float

    def beats(self, margin: float) -> bool:
        """The whole interval lies above `margin`, a share of the champion's loss (and above 0)."""
        return self.low > max(margin * self.champion_loss, 0.0)

    def loses(self) -> bool:
        """The whole interval lies below 0."""
        return self.high < 0


def gain(champion: ArrayLike, challenger: ArrayLike, owners: ArrayLike | None = None, *, draws: int = 1000, seed: int = 0) -> Gain:
    """Mean of champion's loss − challenger's loss over the same rows, with a paired bootstrap interval.

    Rows of one owner are drawn together (cluster bootstrap, Davison & Hinkley 1997, §2.4): a customer seen on four
    days is one witness, not four. Any loss per row, such as (p − y)²; smaller is better.

    Args:
        champion, challenger: loss per row.
        owners: whom a row belongs to; None where each row is somebody else.

    Raises:
        UnfitData: lengths differ, or fewer than 30 owners.
    """
    old = numbers(champion, "champion")
    difference = old - numbers(challenger, "challenger", len(old))
    code = np.arange(len(old)) if owners is None else pd.factorize(np.asarray(owners, dtype=object))[0]
    if len(code) != len(old):
        raise UnfitData(f"owners: received {len(code)} beside {len(old)} rows; give one per row")
    size = np.bincount(code).astype(np.float64)
    if len(size) < 30:
        raise UnfitData(f"{len(size)} owners of {len(old)} rows; 30 at least are needed to tell a gain from chance")
    total = np.bincount(code, weights=difference)
    draw = np.random.default_rng(seed)
    means = np.empty(draws)
    for i in range(draws):
        picked = np.bincount(draw.integers(0, len(size), len(size)), minlength=len(size))
        means[i] = float(picked @ total) / float(picked @ size)
    low, high = np.quantile(means, [0.025, 0.975])
    mean = float(difference.mean())
    return Gain(mean, float(low), float(high), float(old.mean()), float(old.mean() - mean))
