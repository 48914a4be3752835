"""Contact fatigue: what a further contact is worth to somebody who has just had several.

`fit_fatigue` needs a lot drawn anew before each contact. Where it was drawn once per customer, `opens_tire` tells how attention falls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from lakehouse.science.propensity.unfit import UnfitData, Vector, binary, numbers


@dataclass(frozen=True)
class Fatigue:
    """Effects shrink by e^(−rate · (pressure − usual)); the interval is that of the rate; `usual` is the pressure at which the
    effects were measured."""

    rate: float
    low: float
    high: float
    half_life_days: float
    usual: float = 0.0

    def left(self, pressure: ArrayLike) -> Vector:
        """Share of the effect that is left at a pressure of contacts, between 0 and 1: never more than was measured."""
        return np.asarray(np.exp(-self.rate * np.maximum(numbers(pressure, "pressure") - self.usual, 0.0)))

    def told(self) -> bool:
        """Whether fatigue can be told from chance: the whole interval of the rate lies above 0."""
        return self.low > 0


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


def opens_tire(rows: pd.DataFrame, half_life_days: float = 7.0) -> Fatigue:
    """The rate at which opening a mail falls with pressure, from a lot that lets *other* mails reach some customers and not others.

    γ = −[ln r₁ − ln r₀] ÷ (p₁ − p₀): r the opens per mail of one kind, p the mean pressure, by arm of the lot of the other kind (the
    lot as an instrument: Wald 1940, Annals of Mathematical Statistics 11). The variance of ln r is that of a ratio over
    customers, each one witness (Cochran 1977, Sampling Techniques, §6.3); that of p is neglected. What is told is attention;
    that effects fall as opens do is assumed. Pressure that the lot did not cause (people who agree to more) does not enter.

    Args:
        rows: by customer lot (1 lets other mails reach them, 0 holds them out), mails and opened (of the one kind), pressure.

    Raises:
        UnfitData: a column is absent; fewer than 30 customers or 20 opens in an arm; the lot makes no difference to pressure.
    """
    absent = [c for c in ("lot", "mails", "opened", "pressure") if c not in rows.columns]
    if absent:
        raise UnfitData(f"rows: columns {list(rows.columns)}; missing {absent}")
    known = rows[rows["lot"].notna() & (rows["mails"] > 0)].astype(float)
    arms = [known[known["lot"] == arm] for arm in (0.0, 1.0)]
    seen = [(len(arm), int(arm["opened"].sum())) for arm in arms]
    if min(people for people, _ in seen) < 30 or min(opens for _, opens in seen) < 20:
        raise UnfitData(f"customers and opens held out {seen[0]}, mailed {seen[1]}; 30 customers and 20 opens in each tell a difference")
    logs, variance, loads = [], 0.0, [float(arm["pressure"].mean()) for arm in arms]
    for arm in arms:
        opened, mails = arm["opened"].to_numpy(), arm["mails"].to_numpy()
        rate = opened.sum() / mails.sum()
        logs.append(float(np.log(rate)))
        variance += float(((opened - rate * mails) ** 2).sum()) / float(opened.sum()) ** 2
    more = loads[1] - loads[0]
    if more < 0.2:
        raise UnfitData(f"pressure: {loads[0]:.2f} held out, {loads[1]:.2f} mailed; the lot must make a difference of .2 contacts or more")
    rate, half = -(logs[1] - logs[0]) / more, 1.959964 * float(np.sqrt(variance)) / more
    return Fatigue(rate, rate - half, rate + half, half_life_days, loads[1])
