"""Contact fatigue: what a further contact is worth to somebody who has just had several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from lakehouse.science.propensity.unfit import UnfitData, Vector, binary, numbers


@dataclass(frozen=True)
class Fatigue:
    """Effects shrink by e^(−rate · pressure); the interval is that of the rate."""

    rate: float
    low: float
    high: float
    half_life_days: float

    def left(self, pressure: ArrayLike) -> Vector:
        """Share of the effect that is left at a pressure of contacts, between 0 and 1."""
        return np.asarray(np.exp(-self.rate * numbers(pressure, "pressure")))


def pressure(contacts: pd.DataFrame, as_of: pd.Timestamp | str, half_life_days: float = 7.0) -> pd.Series[float]:
    """Recent contacts of each customer, a contact of `half_life_days` ago counting half: Σ 2^(−age ÷ half life).

    Args:
        contacts: columns customer_id and contacted_at; those at or after `as_of` are not seen.
        half_life_days: above 0.

    Raises:
        UnfitData: half life not above 0.
    """
    if half_life_days <= 0:
        raise UnfitData(f"half_life_days: received {half_life_days}; above 0 is valid")
    moment = pd.Timestamp(as_of)
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment
    age = (moment - pd.to_datetime(contacts["contacted_at"], utc=True)).dt.total_seconds() / 86400
    weight = pd.Series(np.where(age > 0, np.exp2(-age / half_life_days), 0.0), index=contacts["customer_id"].to_numpy())
    return weight.groupby(level=0).sum().rename("pressure").rename_axis("customer_id")


def fit_fatigue(
    recent: ArrayLike, treated: ArrayLike, outcome: ArrayLike, *, propensity: ArrayLike | None = None, half_life_days: float = 7.0
) -> Fatigue:
    """The rate at which the effect of a contact falls with the pressure before it, from a randomised campaign.

    Minimises Σ (ψᵢ − τ·e^(−γ·pressureᵢ))² over τ and γ ≥ 0 with ψ = t·y/e − (1 − t)·y/(1 − e), whose mean given
    anything known before the contact is the effect (Horvitz & Thompson 1952); its interval by the profile of the sum of squares
    (Seber & Wild 1989, §5.2). Where the campaign moved nobody, γ cannot be told and is refused.

    Args:
        recent: pressure before the contact, see `pressure`.
        treated, outcome: of the campaign; propensity: chance of contact, or None for the share treated.
        half_life_days: of the pressures given.

    Raises:
        UnfitData: one arm only, no difference in pressure, or no effect to shrink.
    """
    t = binary(treated, "treated")
    y, load = numbers(outcome, "outcome", len(t)), numbers(recent, "recent", len(t))
    e = np.full(len(t), t.mean()) if propensity is None else numbers(propensity, "propensity", len(t))
    if np.ptp(load) <= 0:
        raise UnfitData(f"recent: all {len(load)} customers have pressure {load[0]:g}; fatigue needs some with more contacts than others")
    # outcomes centred within each pressure tenth: the same mean, far less noise
    group = np.searchsorted(np.unique(np.quantile(load, np.arange(1, 10) / 10)), load, side="left")
    control = pd.Series(np.where(t == 0, y, np.nan)).groupby(group).transform("mean").fillna(float(y[t == 0].mean())).to_numpy()
    psi = t * (y - control) / e - (1 - t) * (y - control) / (1 - e)

    def lost(rate: float) -> float:
        shape = np.exp(-rate * load)
        scale = max(float(shape @ psi) / float(shape @ shape), 0.0)
        return float(np.sum((psi - scale * shape) ** 2))

    most = 20 / float(load.max())
    best = float(minimize_scalar(lost, bounds=(0.0, most), method="bounded").x)
    best = min((0.0, best, most), key=lost)
    noise = lost(best) / (len(psi) - 2)
    if (float(np.sum(psi**2)) - lost(best)) / noise < 3.84:
        raise UnfitData(f"the contact moved nobody of {len(t)} that could be told from chance: there is no effect that could tire")
    grid = np.linspace(0.0, most, 401)
    inside = grid[np.array([lost(float(one)) for one in grid]) <= lost(best) + 3.84 * noise]
    return Fatigue(best, float(min(inside.min(initial=best), best)), float(max(inside.max(initial=best), best)), half_life_days)
