"""The shops in town: who comes in, what is bought, what is told to the ad platforms; with a geo experiment of known lift.

In every second half of eight weeks, posters hang in four of the ten towns, drawn anew each time: `POSTERS` more people come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from infra.world.company import HOUR, PAID_SEARCH, PAID_SOCIAL, Company, season
from infra.world.day import Day
from infra.world.market.lines import Objects, csv_lines, json_lines, local, stamp
from infra.world.market.mailing import offer_lift
from infra.world.market.minds import share
from infra.world.market.outside import holiday, rain
from infra.world.population import CITIES, contact, customer_id, money, order_id, product, product_id
from infra.world.randomness import pick, scatter, stream
from infra.world.state import Array, State

TOWNS = tuple(range(10))
"""Towns (positions in CITIES) with a shop."""
POSTERS, TREATED, HALF = 0.20, 4, 28
"""Geo experiment: lift of visits and purchases, towns with posters, days without and then with them."""
OPENS, CLOSES = 8, 18
VISITORS, BUYS = 60.0, 0.08
"""Visitors a day of a shop (company of 2,000 customers; grows with the square root), and how many of the unknown buy."""
OWN = (0.004, 0.06)
"""A customer's purchases a day in the own town's shop: a constant and a share of the hidden rate online."""
WEEKDAY = np.array([0.8, 0.85, 0.9, 1.0, 1.25, 1.5, 0.0])
RESENT, STUCK, SERVER, SENT_TWICE = 0.01, 0.004, 0.95, 0.03
"""Shares: receipts sent again, counters stuck for an hour, web orders the server reports too, reports sent twice under other numbers."""


@dataclass
class StoreDay:
    """One day of the shops: visitors by shop and hour, and purchases in order of time."""

    expected: Array
    """Purchases of known customers by shop, as expected."""
    without: Array
    """The same without posters and offers."""
    treated: Array
    visitors: Array
    shop: Array
    customer: Array
    at: Array
    product: Array
    quantity: Array


def treated(company: Company, day: int) -> Array:
    """Tell which towns have posters today."""
    chosen = np.argsort(scatter(company.seed, f"posters {day // (2 * HALF)}", list(TOWNS)), kind="stable")[:TREATED]
    result: Array = np.isin(np.arange(len(TOWNS)), chosen) & (day % (2 * HALF) >= HALF)
    return result


def opened(company: Company, before: State, day: Day) -> StoreDay:
    """Simulate the shops' day."""
    today, begins, people = company.date(before.day), company.second(before.day), before.customers
    random = stream(company.seed, "stores", before.day)
    with_posters = treated(company, before.day)
    is_open = np.array([holiday(CITIES[t][2], today) is None for t in TOWNS]) & (WEEKDAY[today.weekday()] > 0)
    dry = np.array([1 - min(0.3, 0.03 * rain(company, CITIES[t][0], today)) for t in TOWNS])
    level = is_open * WEEKDAY[today.weekday()] * season(today) * dry
    who = np.flatnonzero((people["death"] > begins) & ~people["deleted"])
    town = pick(company.seed, "place", (who + 1) * 50 + people["address"][who], len(CITIES))
    who, town = who[town < len(TOWNS)], town[town < len(TOWNS)]
    lift = offer_lift(company, before)[who]
    plain = (OWN[0] + OWN[1] * people["rate"][who]) * people["spending"][who] * level[town]
    rate = plain * (1 + POSTERS * with_posters[town]) * (1 + lift)
    bought = np.repeat(np.arange(len(who)), random.poisson(rate))
    base = VISITORS * np.sqrt(company.scale) * level * (1 + POSTERS * with_posters)
    hours = np.array([0.6, 0.9, 1.1, 1.2, 1.0, 1.0, 1.1, 1.2, 1.1, 0.8])
    visitors = random.poisson(base[:, None] * hours / hours.sum())
    strangers = random.binomial(visitors, BUYS)
    shop, hour = (np.repeat(side.ravel(), strangers.ravel()) for side in np.indices(strangers.shape))
    shop = np.concatenate([town[bought], shop])
    hour = np.concatenate([random.integers(0, CLOSES - OPENS, len(bought)), hour])
    customer = np.concatenate([who[bought], np.full(len(hour) - len(bought), -1)])
    at = begins + (OPENS + hour) * HOUR + random.integers(0, HOUR, len(hour))
    np.add.at(visitors, (shop[: len(bought)], hour[: len(bought)]), 1)
    on_sale = np.flatnonzero(day.after.products["active"])
    goods = on_sale[random.integers(0, len(on_sale), len(hour))]
    quantity = 1 + np.minimum(random.poisson(0.3, len(hour)), 5)
    order = np.argsort(at, kind="stable")
    known = np.bincount(town, rate, len(TOWNS)), np.bincount(town, plain, len(TOWNS))
    return StoreDay(*known, with_posters, visitors, shop[order], customer[order], at[order], goods[order], quantity[order])


def landed(company: Company, before: State, day: Day) -> Objects:
    """Give sales (as the tills write them), counts of visitors, and conversions reported by server."""
    on, here = str(company.date(before.day)), opened(company, before, day)
    header = ("Beleg", "Filiale", "Zeit", "Kundenkarte", "Artikel", "Bezeichnung", "Menge", "Betrag", "Zahlart")
    yield from csv_lines("stores/sales", on, header, _sales(company, day, here), ";", "cp1252")
    yield from csv_lines("sensors/footfall", on, ("sensor", "hour", "entries", "battery"), _counts(company, before, here))
    header = ("conversion_id", "order_id", "click_id", "channel", "value", "currency", "hashed_email", "happened_at")
    yield from csv_lines("conversions/sent", on, header, _conversions(company, before, day, here))


def planned(company: Company, before: State) -> Objects:
    """Give the plan of the next posters, fixed when eight weeks begin: which towns get them, and when."""
    if before.day % (2 * HALF):
        return
    starts, arms = before.day + HALF, treated(company, before.day + HALF)
    rows = (
        {
            "campaign": f"posters {company.date(starts)}",
            "town": CITIES[town][0],
            "arm": "treated" if arms[town] else "control",
            "starts_on": str(company.date(starts)),
            "ends_on": str(company.date(starts + HALF - 1)),
        }
        for town in TOWNS
    )
    yield from json_lines("campaigns/markets", str(company.date(before.day)), rows)


def _sales(company: Company, day: Day, here: StoreDay) -> Iterator[tuple[Any, ...]]:
    cents = day.after.products["cents"][here.product] * here.quantity
    for i in range(len(here.at)):
        name = product(int(here.product[i]))["name"]
        row = (
            f"{day.day:05d}-{i + 1:05d}", f"S{int(here.shop[i]) + 1:02d} {CITIES[int(here.shop[i])][0]}", local(int(here.at[i])),
            customer_id(int(here.customer[i])) if here.customer[i] >= 0 else "", product_id(int(here.product[i])), name,
            int(here.quantity[i]), money(int(cents[i])).replace(".", ","), ("bar", "EC", "Kreditkarte")[i % 3],
        )  # fmt: skip
        yield row
        if share(company.seed, f"resent {day.day}", [i])[0] < RESENT:
            yield row


def _counts(company: Company, before: State, here: StoreDay) -> Iterator[tuple[Any, ...]]:
    for shop, line in enumerate(here.visitors.tolist()):
        for hour, count in enumerate(line):
            key = (before.day * 100 + shop) * 100 + hour
            stuck = share(company.seed, "stuck", [key])[0] < STUCK
            at = stamp(company.second(before.day) + (OPENS + hour) * HOUR)
            yield f"S{shop + 1:02d}-door", at, 9999 if stuck else count, 100 - key % 60


def _conversions(company: Company, before: State, day: Day, here: StoreDay) -> Iterator[tuple[Any, ...]]:
    orders, people = day.orders, day.after.customers
    totals = np.bincount(orders.line_order, orders.amount_cents, len(orders.at)).astype(np.int64).tolist()
    for i, (number, who, at) in enumerate(zip(orders.number.tolist(), orders.customer.tolist(), orders.at.tolist(), strict=True)):
        luck = share(company.seed, "server", [number])[0]
        if not people["consent"][who, 1] or luck > SERVER:
            continue
        click = f"c{int(scatter(company.seed, 'click', [number])[0]):016x}" if orders.channel[i] in (PAID_SEARCH, PAID_SOCIAL) else ""
        mail = contact(company, who, int(people["email"][who]), 0)["email"]
        channel = "phone" if orders.by_phone[i] else "web server"
        row = (order_id(number), click, channel, money(totals[i]), "EUR", hashlib.sha256(mail.encode()).hexdigest(), stamp(at + 2))
        yield f"{number:09d}a", *row
        if luck < SENT_TWICE:
            yield f"{number:09d}b", *row
    for i in np.flatnonzero(here.customer >= 0).tolist():
        who = int(here.customer[i])
        if people["consent"][who, 1]:
            mail = contact(company, who, int(people["email"][who]), 0)["email"]
            value = money(int(day.after.products["cents"][here.product[i]] * here.quantity[i]))
            hashed = hashlib.sha256(mail.encode()).hexdigest()
            yield f"s{before.day:05d}{i:05d}", "", "", "store", value, "EUR", hashed, stamp(int(here.at[i]))


def truth(company: Company, before: State, day: Day) -> dict[str, Any]:
    """Give what the experiments did today: purchases of known customers as expected with and without them, by shop."""
    here = opened(company, before, day)
    n = len(TOWNS)
    return {
        "date": [str(company.date(before.day))] * n,
        "store": [f"S{t + 1:02d}" for t in TOWNS],
        "has_posters": here.treated,
        "purchases_expected": here.expected,
        "purchases_expected_without": here.without,
        "purchases": np.bincount(here.shop[here.customer >= 0], minlength=n),
    }
