"""What people are like: hidden types, needs, and moods, fixed for life and drawn from who they are."""

from __future__ import annotations

import numpy as np

from infra.world.company import Company
from infra.world.randomness import scatter
from infra.world.state import Array

TYPES = ("connoisseur", "saver", "hurried", "caring")
NEEDS = (
    "taste", "origin", "equipment",
    "price", "offers", "own_brand",
    "speed", "routine", "delivery",
    "fairness", "packaging", "climate",
)  # fmt: skip
"""Twelve attitudes, three for each type, in its order."""
PULL, LEANING, SPREAD = 1.35, 2.75, 0.55
"""How far a type's own three attitudes stand above the others (on 1 to 5), where those stand, and how much persons of one type differ."""
AGES_OF_PANEL = ("18-29", "30-44", "45-59", "60+")
HOLDOUT_PERCENT = 5
"""Share of customers whom no campaign may reach: the universal holdout."""


def share(seed: int, purpose: str, numbers: Array | list[int]) -> Array:
    """Give each number its own share between 0 and 1."""
    return (scatter(seed, purpose, numbers) >> np.uint64(11)).astype(float) / 2.0**53


def bell(seed: int, purpose: str, numbers: Array | list[int]) -> Array:
    """Give each number its own draw of a standard normal (Box & Muller 1958)."""
    one, other = (share(seed, f"{purpose} {side}", numbers) for side in ("radius", "angle"))
    result: Array = np.sqrt(-2 * np.log(1 - one)) * np.cos(2 * np.pi * other)
    return result


def types(company: Company, who: Array, people: Array) -> Array:
    """Give the hidden type of each customer (a position in TYPES).

    Regulars lean to be connoisseurs or hurried, small baskets to be savers: behaviour says something of the type, not all.
    """
    habit, basket = people["regular"].astype(float), np.log(people["spending"])
    odds = np.stack([0.8 * habit + 1.2 * basket, 0.5 - 0.6 * habit - 1.2 * basket, 0.3 * habit, np.zeros(len(who))], axis=1)
    weights = np.exp(odds)
    edges = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    result: Array = (share(company.seed, "type", who)[:, None] > edges[:, :-1]).sum(axis=1)
    return result


def needs(company: Company, who: Array, kind: Array) -> Array:
    """Give each customer's twelve attitudes (customers × NEEDS) on the scale of the questionnaire, before rounding."""
    own = np.arange(len(NEEDS)) // 3 == kind[:, None]
    person = np.stack([bell(company.seed, f"need {n}", who) for n in range(len(NEEDS))], axis=1)
    result: Array = LEANING + PULL * own + SPREAD * person
    return result


def held_out(company: Company, who: Array) -> Array:
    """Tell who is in the universal holdout."""
    result: Array = share(company.seed, "universal holdout", who) < HOLDOUT_PERCENT / 100
    return result
