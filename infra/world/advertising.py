"""Advertising: what is spent, and what it causes."""

from dataclasses import dataclass

import numpy as np

from infra.world.company import (
    BASE_VISITS,
    CHANNELS,
    DIRECT,
    EMAIL,
    FIRST_ORDER,
    HARVEST,
    NEWSLETTER_LIFT,
    ORGANIC,
    PAID,
    PAID_SEARCH,
    PAID_SOCIAL,
    WEEKDAYS,
    Company,
    season,
)
from infra.world.randomness import pick, stream
from infra.world.state import Array, State


@dataclass(frozen=True)
class Advertising:
    """One day of advertising: spend in cents and its hidden effects, by channel."""

    cents: Array
    adstock: Array
    saturation: Array
    caused: Array
    """Expected visits of people who are no customers that spending caused."""
    visits: Array
    """Expected visits of people who are no customers by the channel through which they arrive, and the cause of each
    (rows: arrival; columns: cause, the last one no advertising)."""
    lift: Array
    """Extra orders of customers, relative to their habit."""
    demand: float
    """Weekday and season."""


def advertise(company: Company, state: State) -> Advertising:
    """Decide today's spend and compute its effects; moves the state's adstock and moods."""
    day, on = state.day, company.date(state.day)
    random = stream(company.seed, "advertising", day)
    state.mood[:] = 0.8 * state.mood + random.normal(0, (0.15, 0.15, 0.05))
    n = len(CHANNELS)
    cents, saturation, adstock = np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
    weekday, scale = on.weekday(), company.scale
    flight = 1.0 if pick(company.seed, "flight", [day // 10], 10)[0] < 6 else 0.2
    plan = {PAID_SEARCH: 1.0 if weekday < 5 else 0.8, PAID_SOCIAL: flight}
    for at, (channel, paid) in enumerate(PAID.items()):
        spend = paid.spend * scale * plan[channel] * float(np.exp(state.mood[at]))
        cents[channel] = round(100 * spend)
        state.adstock[at] = spend + paid.retention * state.adstock[at]
        adstock[channel] = state.adstock[at]
        power = (state.adstock[at] / (paid.half * scale)) ** paid.slope
        saturation[channel] = power / (1 + power)
    demand = float(WEEKDAYS[weekday]) * season(on)
    lift = np.array([PAID[c].lift * saturation[c] if c in PAID else 0.0 for c in range(n)])
    lift[EMAIL] = NEWSLETTER_LIFT.get(weekday, 0.0)
    caused = np.array([PAID[c].visits * scale * saturation[c] * demand if c in PAID else 0.0 for c in range(n)])
    return Advertising(cents, adstock, saturation, caused, _arrivals(company, state, caused, demand), lift, demand)


def _arrivals(company: Company, state: State, caused: Array, demand: float) -> Array:
    visits = np.zeros((len(CHANNELS), len(CHANNELS) + 1))
    for channel, base in BASE_VISITS.items():
        visits[channel, -1] = base * company.scale * demand * float(np.exp(state.mood[2]))
    for channel in (ORGANIC, DIRECT):
        visits[PAID_SEARCH, -1] += HARVEST * visits[channel, -1]
        visits[channel, -1] *= 1 - HARVEST
    for channel, paid in PAID.items():
        visits[channel, channel] += paid.seen * caused[channel]
        for halo in (DIRECT, ORGANIC):
            visits[halo, channel] += (1 - paid.seen) / 2 * caused[channel]
    return visits


def first_order_chance(arrival: int, cause: int) -> float:
    """Give the chance that a visit ends in a first order: that of its cause, else that of its arrival."""
    return float(FIRST_ORDER[cause if cause >= 0 else arrival])
