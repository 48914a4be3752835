"""Whom to act on: the threshold that costs least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lakehouse.science.propensity.unfit import UnfitData, binary, numbers


@dataclass(frozen=True)
class Costs:
    """Cost of each outcome of acting (or not) on a customer, in money; gains are negative costs."""

    acted_in_vain: float
    missed: float
    acted_rightly: float = 0.0
    left_alone_rightly: float = 0.0

    def __post_init__(self) -> None:
        """Refuse costs under which acting or not acting is always better.

        Raises:
            UnfitData: a right decision costs no less than a wrong one.
        """
        if self.acted_in_vain <= self.left_alone_rightly or self.missed <= self.acted_rightly:
            raise UnfitData(f"{self}: each wrong decision must cost more than the right one in its place")


def threshold_by_cost(costs: Costs) -> float:
    """Act where p is at least t* = (c₁₀ − c₀₀) ÷ (c₁₀ − c₀₀ + c₀₁ − c₁₁) (Elkan 2001, IJCAI, eq. 2).

    Holds for calibrated probabilities only.
    """
    vain = costs.acted_in_vain - costs.left_alone_rightly
    return vain / (vain + costs.missed - costs.acted_rightly)


def mean_cost(probability: ArrayLike, label: ArrayLike, threshold: float, costs: Costs) -> float:
    """What acting on p ≥ threshold would have cost, per customer, in the money of `costs`."""
    y = binary(label, "label", both=False)
    acted = numbers(probability, "probability", len(y)) >= threshold
    spent = np.where(
        acted,
        np.where(y == 1, costs.acted_rightly, costs.acted_in_vain),
        np.where(y == 1, costs.missed, costs.left_alone_rightly),
    )
    return float(spent.mean())


def cheapest_threshold(probability: ArrayLike, label: ArrayLike, costs: Costs) -> tuple[float, float]:
    """The threshold among the probabilities, or above all, that cost least: (threshold, mean cost).

    A check of `threshold_by_cost` on later rows: far from t*, the probabilities are not calibrated there.
    Among equal costs the highest threshold wins: fewest contacts.
    """
    y = binary(label, "label", both=False)
    p = numbers(probability, "probability", len(y))
    order = np.lexsort((y, -p))
    p, y = p[order], y[order]
    gained = np.where(y == 1, costs.acted_rightly - costs.missed, costs.acted_in_vain - costs.left_alone_rightly)
    nobody = float(np.mean(np.where(y == 1, costs.missed, costs.left_alone_rightly)))
    after = nobody + np.cumsum(gained) / len(y)
    ends = np.flatnonzero(np.append(np.diff(p) != 0, True))
    best = int(ends[np.argmin(after[ends])])
    if nobody <= after[best]:
        return float(np.nextafter(p[0], np.inf)), nobody
    return float(p[best]), float(after[best])
