"""Sufficient statistics of buying: how often, how lately, how long observed, and how many customers so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lakehouse.science.propensity.unfit import UnfitData, Vector, numbers


@dataclass(frozen=True)
class Histories:
    """Repeat occasions x, time of the last one t_x, time observed T (0 = first purchase), all of one length.

    `customers` counts how many share a row: the models' likelihoods need nothing else of a million customers
    than their distinct rows.
    """

    x: Vector
    t_x: Vector
    T: Vector
    customers: Vector

    @staticmethod
    def of(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Histories:
        """One row per customer, in the order given.

        Raises:
            UnfitData: lengths differ; x is no whole number ≥ 0; not 0 ≤ t_x ≤ T; t_x = 0 is not exactly x = 0.
        """
        counts = numbers(x, "x")
        last, age = numbers(t_x, "t_x", len(counts)), numbers(T, "T", len(counts))
        wrong = (counts < 0) | (counts != np.floor(counts)) | (last < 0) | (last > age) | ((counts > 0) != (last > 0))
        if wrong.any():
            place = int(np.flatnonzero(wrong)[0])
            raise UnfitData(
                f"{int(wrong.sum())} of {len(counts)} histories are impossible, the first: x={counts[place]:g}, "
                f"t_x={last[place]:g}, T={age[place]:g}; valid: whole x ≥ 0, 0 ≤ t_x ≤ T, t_x > 0 exactly if x > 0. "
                "Count purchases of one day once and times from the first purchase"
            )
        return Histories(counts, last, age, np.ones(len(counts)))

    def distinct(self) -> Histories:
        """The distinct rows with the number of customers of each; the same likelihood, far fewer rows."""
        rows, place = np.unique(np.column_stack([self.x, self.t_x, self.T]), axis=0, return_inverse=True)
        count = np.bincount(place.ravel(), weights=self.customers)
        return Histories(rows[:, 0], rows[:, 1], rows[:, 2], np.asarray(count, dtype=np.float64))

    @property
    def total(self) -> float:
        """Number of customers."""
        return float(self.customers.sum())
