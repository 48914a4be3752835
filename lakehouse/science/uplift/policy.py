"""What a policy would have earned, from a campaign whose contacts were drawn by known chances."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from lakehouse.science.propensity.unfit import UnfitData, Vector, binary, numbers


@dataclass(frozen=True)
class PolicyValue:
    """Mean value per customer under the policy, with its 95 % interval."""

    value: float
    low: float
    high: float
    matched: int

    @property
    def text(self) -> str:
        """ "0.412 (0.388 to 0.436), from 4,032 customers treated as the policy would"."""
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}), from {self.matched:,} customers treated so"


def policy_value(
    action: ArrayLike, treated: ArrayLike, outcome: ArrayLike, *, propensity: ArrayLike | None = None, cost: float = 0.0
) -> PolicyValue:
    """V(π) = Σ wᵢ·(yᵢ − cost·tᵢ) ÷ Σ wᵢ with wᵢ = 1{tᵢ = πᵢ} ÷ P(T = tᵢ | xᵢ).

    Inverse propensity weighting (Horvitz & Thompson 1952), self-normalised (Hájek 1971); the interval from the
    influence function w·(y − V) ÷ mean w.

    Args:
        action: 1 where the policy would contact.
        treated, outcome: what was done, what came of it, in money (or 0/1).
        propensity: chance of contact per row; None for the share treated (random assignment).
        cost: of a contact, in units of the outcome.

    Raises:
        UnfitData: nobody was treated as the policy would, or chances of 0 or 1.
    """
    earned, weight = _weighted(action, treated, outcome, propensity, cost)
    value, influence = _hajek(earned, weight)
    half = 1.959964 * float(np.std(influence, ddof=1)) / sqrt(len(weight))
    return PolicyValue(value, value - half, value + half, int(np.sum(weight > 0)))


def policy_difference(
    action: ArrayLike,
    other: ArrayLike,
    treated: ArrayLike,
    outcome: ArrayLike,
    *,
    propensity: ArrayLike | None = None,
    cost: float = 0.0,
) -> PolicyValue:
    """V(action) − V(other) on the same customers, with the interval of the difference."""
    earned, weight = _weighted(action, treated, outcome, propensity, cost)
    _, other_weight = _weighted(other, treated, outcome, propensity, cost)
    value, influence = _hajek(earned, weight)
    base, base_influence = _hajek(earned, other_weight)
    half = 1.959964 * float(np.std(influence - base_influence, ddof=1)) / sqrt(len(weight))
    return PolicyValue(value - base, value - base - half, value - base + half, int(np.sum(weight > 0)))


def _hajek(earned: Vector, weight: Vector) -> tuple[float, Vector]:
    value = float(weight @ earned / weight.sum())
    return value, weight * (earned - value) / weight.mean()


def _weighted(
    action: ArrayLike, treated: ArrayLike, outcome: ArrayLike, propensity: ArrayLike | None, cost: float
) -> tuple[Vector, Vector]:
    t = binary(treated, "treated")
    would = binary(action, "action", len(t), both=False)
    y = numbers(outcome, "outcome", len(t))
    e = np.full(len(t), t.mean()) if propensity is None else numbers(propensity, "propensity", len(t))
    if e.min() <= 0 or e.max() >= 1:
        raise UnfitData(f"propensity: received {e.min():g} to {e.max():g}; above 0 and below 1 is valid")
    weight = np.where(t == would, 1 / np.where(t == 1, e, 1 - e), 0.0)
    if not weight.any():
        raise UnfitData(f"action: none of {len(t)} customers was treated as the policy would; it cannot be judged on them")
    return y - cost * t, weight
