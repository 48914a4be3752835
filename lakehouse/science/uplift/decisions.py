"""One decision per customer: which offer, on which channel, or none, under budget and contact limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lakehouse.science.propensity.unfit import UnfitData, numbers


@dataclass(frozen=True)
class Limits:
    """What may be spent in all, contacts per customer in the window, and contacts per offer."""

    budget: float = float("inf")
    contacts_per_customer: int = 4
    per_offer: Mapping[str, int] = field(default_factory=dict)


def decide(
    effects: pd.DataFrame,
    value: ArrayLike,
    costs: Mapping[str, float],
    *,
    margin: float = 1.0,
    recent_contacts: ArrayLike | None = None,
    tiredness: ArrayLike | None = None,
    allowed: pd.DataFrame | None = None,
    limits: Limits | None = None,
) -> pd.DataFrame:
    """For each customer the offer of highest net gain = effect × value × margin − cost, at most one, or "none".

    Under a budget or a limit per offer, pairs of customer and offer are granted by falling net gain per money
    spent (per contact where contacts are free), equal ones by the customer's key: the greedy solution of the
    multiple-choice knapsack (Kellerer, Pferschy & Pisinger 2004, ch. 11), short of the best by less than one
    offer for equal costs. A customer with as many recent contacts as allowed gets none.

    Args:
        effects: predicted additional purchases, indexed by customer, a column per offer (offer and channel).
        value: of a purchase of the customer, in money.
        costs: of one contact with each offer, in money.
        margin: of the value.
        recent_contacts: in the window, per customer.
        tiredness: share of an effect that is left after them, per customer (`Fatigue.left`); 1 unless told.
        allowed: who may get which offer (consent, device, reach of the channel), of the shape of `effects`; all unless told.
            Channels read the one row of a customer, so web, mobile, mail and shop say the same thing.
        limits: budget and contact limits.

    Returns:
        Frame indexed like `effects`: offer, net_gain, cost, reason ("best net gain", "no offer pays",
        "not allowed", "contact limit", "budget or offer limit").

    Raises:
        UnfitData: an offer without cost, a customer twice.
    """
    bounds = limits or Limits()
    missing = [str(name) for name in effects.columns if name not in costs]
    if missing or effects.index.has_duplicates:
        raise UnfitData(f"costs: offers without a cost: {missing}; repeated customers: {effects.index.has_duplicates}")
    worth = numbers(value, "value", len(effects)) * margin
    price = np.array([float(costs[str(name)]) for name in effects.columns])
    left = np.ones(len(effects)) if tiredness is None else numbers(tiredness, "tiredness", len(effects))
    gain = effects.to_numpy(dtype=np.float64) * (worth * left)[:, None] - price
    open_to = np.ones(gain.shape, dtype=bool) if allowed is None else _permitted(allowed, effects)
    contacted = np.zeros(len(effects)) if recent_contacts is None else numbers(recent_contacts, "recent_contacts", len(effects))
    tired = contacted >= bounds.contacts_per_customer
    keys = np.argsort(np.argsort(effects.index.astype(str).to_numpy(), kind="stable"), kind="stable")
    rows, columns = np.nonzero((gain > 0) & open_to & ~tired[:, None])
    merit = gain[rows, columns] / np.maximum(price[columns], 1e-9) if np.isfinite(bounds.budget) else gain[rows, columns]
    chosen = np.full(len(effects), -1, dtype=np.int64)
    places = {str(name): bounds.per_offer.get(str(name), len(effects)) for name in effects.columns}
    spent = 0.0
    for place in np.lexsort((columns, keys[rows], -merit)):
        row, column = int(rows[place]), int(columns[place])
        name = str(effects.columns[column])
        if chosen[row] < 0 and places[name] > 0 and spent + price[column] <= bounds.budget:
            chosen[row], places[name], spent = column, places[name] - 1, spent + price[column]
    return _table(effects, chosen, gain, price, tired, open_to)


def _permitted(allowed: pd.DataFrame, effects: pd.DataFrame) -> Any:
    if not allowed.index.equals(effects.index) or list(allowed.columns) != list(effects.columns):
        raise UnfitData(
            f"allowed: {allowed.shape[0]} customers, offers {list(allowed.columns)}; the customers and offers of `effects` are valid: "
            f"{effects.shape[0]}, {list(effects.columns)}"
        )
    return allowed.to_numpy(dtype=bool)


def _table(effects: pd.DataFrame, chosen: Any, gain: Any, price: Any, tired: Any, open_to: Any) -> pd.DataFrame:
    granted = chosen >= 0
    names = np.array([*map(str, effects.columns), "none"], dtype=object)
    at = np.arange(len(effects))
    reason = np.where(np.where(open_to, gain, -np.inf).max(axis=1) <= 0, "not allowed", "budget or offer limit").astype(object)
    reason[gain.max(axis=1) <= 0] = "no offer pays"
    reason[tired] = "contact limit"
    reason[granted] = "best net gain"
    return pd.DataFrame(
        {
            "offer": names[chosen],
            "net_gain": np.where(granted, gain[at, chosen], 0.0),
            "cost": np.where(granted, price[chosen], 0.0),
            "reason": reason,
        },
        index=effects.index,
    )
