"""One day of the company, simulated whole and at once; its hours are handed out afterwards."""

from dataclasses import dataclass, field

import numpy as np

from infra.world.advertising import Advertising, advertise, first_order_chance
from infra.world.company import (
    AD_GROUPS,
    BASE_TOUCH,
    BASELINE,
    CHANNELS,
    DAY,
    DIRECT,
    EMAIL,
    HOUR,
    HOURS,
    ORGANIC,
    PAID,
    Company,
)
from infra.world.life import Changes, live_on
from infra.world.newsletter import mailed
from infra.world.orders import Orders, take_orders
from infra.world.population import newcomers
from infra.world.randomness import stream
from infra.world.state import PROSPECT, Array, State


@dataclass
class Sessions:
    """Visits to the web shop of one day, in order of time; order is the row of the day's orders or -1."""

    at: Array
    visitor: Array
    customer: Array
    channel: Array
    group: Array
    order: Array
    cause: Array


@dataclass
class Day:
    """Everything that happens on one day."""

    day: int
    advertising: Advertising
    sessions: Sessions
    orders: Orders
    changes: Changes
    first_newcomer: int
    after: State = field(repr=False)


def times(random: np.random.Generator, begins: int, n: int) -> Array:
    """Draw moments of a day by its hourly profile."""
    hour = random.choice(24, n, p=HOURS / HOURS.sum())
    return begins + hour * HOUR + random.integers(0, HOUR, n)


def simulate(company: Company, before: State) -> Day:
    """Simulate the day after the given state; the state stays as it is, the day carries the next one."""
    state = before.copy()
    day, begins = state.day, company.second(state.day)
    random = stream(company.seed, "day", day)
    advertising = advertise(company, state)
    changes = live_on(company, state, stream(company.seed, "life", day))
    visits, first_newcomer = _prospects(company, state, advertising, random, begins)
    buying = _customers(state, advertising, random, begins, first_newcomer)
    browsing = _browsers(state, random, begins, first_newcomer)
    new = _first_orders(visits, first_newcomer, len(state.customers))
    orders = take_orders(company, state, changes, stream(company.seed, "orders", day), [new, buying])
    sessions = _sessions(orders, visits, browsing, random)
    state.day += 1
    return Day(day, advertising, sessions, orders, changes, first_newcomer, state)


@dataclass
class Visits:
    """Visits with who comes, when, through which channel and why; customer is -1 for a stranger."""

    at: Array
    visitor: Array
    customer: Array
    channel: Array
    cause: Array
    group: Array


def _groups(random: np.random.Generator, channel: Array) -> Array:
    group = np.full(len(channel), -1)
    for paid in PAID:
        members = [i for i, g in enumerate(AD_GROUPS) if g.channel == paid]
        here = channel == paid
        group[here] = random.choice(members, int(here.sum()), p=[AD_GROUPS[i].share for i in members])
    return group


def _prospects(company: Company, state: State, advertising: Advertising, random: np.random.Generator, begins: int) -> tuple[Visits, int]:
    counts = random.poisson(advertising.visits)
    arrival, cause = (np.repeat(side.ravel(), counts.ravel()) for side in np.indices(counts.shape))
    cause = np.where(cause == len(CHANNELS), BASELINE, cause)
    shuffled = random.permutation(len(arrival))
    arrival, cause, n = arrival[shuffled], cause[shuffled], len(arrival)
    known = state.prospects
    returning = (random.random(n) < 0.35) & (len(known) > 0)
    fresh = state.next_visitor + np.cumsum(~returning) - 1
    state.next_visitor += int((~returning).sum())
    visitor = fresh if not len(known) else np.where(returning, known["visitor"][random.integers(0, len(known), n)], fresh)
    chance = np.array([first_order_chance(a, c) for a in range(6) for c in (*range(6), BASELINE)]).reshape(6, 7)
    converts = random.random(n) < chance[arrival, np.where(cause == BASELINE, 6, cause)]
    order = np.argsort(at := times(random, begins, n), kind="stable")
    at, visitor, arrival, cause, converts = (x[order] for x in (at, visitor, arrival, cause, converts))
    converts &= _first_of_each(visitor, converts)
    first = len(state.customers)
    signed_up = np.maximum(at[converts] - 90, begins)
    people = newcomers(company, first + 1, signed_up, cause[converts], visitor[converts])
    state.customers = np.concatenate([state.customers, people])
    customer = np.full(n, -1)
    customer[converts] = np.arange(first, first + len(people))
    seen = np.zeros(n, PROSPECT)
    seen["visitor"], seen["day"] = visitor, state.day
    pool = np.concatenate([known[known["day"] > state.day - 14], seen])
    state.prospects = pool[~np.isin(pool["visitor"], visitor[converts])]
    return Visits(at, visitor, customer, arrival, cause, _groups(random, arrival)), first


def _first_of_each(visitor: Array, chosen: Array) -> Array:
    keep = np.zeros(len(visitor), bool)
    rows = np.flatnonzero(chosen)
    keep[rows[np.unique(visitor[rows], return_index=True)[1]]] = True
    return keep


def _first_orders(visits: Visits, first: int, end: int) -> Visits:
    rows = np.flatnonzero(visits.customer >= 0)
    assert len(rows) == end - first
    return Visits(*(getattr(visits, f)[rows] for f in ("at", "visitor", "customer", "channel", "cause", "group")))


def _customers(state: State, advertising: Advertising, random: np.random.Generator, begins: int, n: int) -> Visits:
    people = state.customers[:n]
    written = people["consent"][:, 0] & mailed(np.arange(n))
    lift = np.tile(advertising.lift, (n, 1)) * np.where(np.arange(len(CHANNELS)) == EMAIL, written[:, None], True)
    expected = people["rate"] * advertising.demand * (1 + lift.sum(axis=1))
    who = np.repeat(np.arange(n), random.poisson(expected * (people["death"] > begins)))
    at = times(random, begins, len(who))
    alive = at < people["death"][who]
    who, at = who[alive], at[alive]
    order = np.argsort(at, kind="stable")
    who, at = who[order], at[order]
    shares = np.c_[lift[who], np.ones(len(who))].cumsum(axis=1)
    cause = (random.random(len(who))[:, None] * shares[:, -1:] > shares).sum(axis=1)
    cause = np.where(cause == len(CHANNELS), BASELINE, cause)
    touch = random.choice(len(CHANNELS), len(who), p=BASE_TOUCH)
    touch = np.where((touch == EMAIL) & ~written[who], DIRECT, touch)
    hidden = (random.random(len(who)) > 0.6) & (cause == 1)
    channel = np.where(cause == BASELINE, touch, np.where(hidden, np.where(random.random(len(who)) < 0.5, ORGANIC, DIRECT), cause))
    return Visits(at, people["visitor"][who], who, channel, cause, _groups(random, channel))


def _browsers(state: State, random: np.random.Generator, begins: int, n: int) -> Visits:
    people = state.customers[:n]
    who = np.flatnonzero(random.random(n) < (0.02 + 0.8 * people["rate"]) * (people["death"] > begins + DAY))
    at = np.sort(times(random, begins, len(who)))
    who = random.permutation(who)
    channel = random.choice(len(CHANNELS), len(who), p=BASE_TOUCH)
    signed_in = random.random(len(who)) < 0.5
    cause = np.full(len(who), BASELINE)
    return Visits(at, people["visitor"][who], np.where(signed_in, who, -1), channel, cause, _groups(random, channel))


def _sessions(orders: Orders, visits: Visits, browsing: Visits, random: np.random.Generator) -> Sessions:
    strangers = visits.customer < 0
    web = np.flatnonzero(~orders.by_phone)
    at = np.concatenate([visits.at[strangers], browsing.at, orders.at[web]])
    parts = {
        name: np.concatenate([getattr(visits, name)[strangers], getattr(browsing, name), getattr(orders, name)[web]])
        for name in ("visitor", "customer", "channel", "group", "cause")
    }
    order = np.concatenate([np.full(int(strangers.sum()) + len(browsing.at), -1), web])
    sorting = np.argsort(at, kind="stable")
    return Sessions(at[sorting], order=order[sorting], **{name: value[sorting] for name, value in parts.items()})
