"""What happens to customers and products besides orders: moves, new addresses, consent, prices, deletion."""

from dataclasses import dataclass

import numpy as np

from infra.world.company import DAY, PURPOSES, SEGMENTS, Company
from infra.world.population import CATEGORIES
from infra.world.state import PRODUCT, Array, State

DAILY = {"email": 0.0005, "address": 0.0009, "segment": 0.0007}
CONSENT_DAILY = 0.0015
DELETION_DAILY = 0.00004
PRICE_DAILY = 0.012
LAUNCH_DAILY = 0.04
RETIREMENT_DAILY = 0.02


@dataclass
class Changes:
    """The changes of one day; moments are Unix seconds, people and products are positions."""

    who: dict[str, tuple[Array, Array, Array]]
    """By trait: customers, moments, new values (count of changes, or the segment)."""
    consent: tuple[Array, Array, Array, Array]
    """Customers, moments, purposes, whether granted."""
    deleted: tuple[Array, Array]
    repriced: Array
    launched: Array
    retired: Array


def live_on(company: Company, state: State, random: np.random.Generator) -> Changes:
    """Draw the day's changes and apply them to the state."""
    begins, people = company.second(state.day), state.customers
    present = np.flatnonzero(~people["deleted"])
    n = len(present)
    gone = np.sort(random.choice(present, random.binomial(n, DELETION_DAILY), replace=False))
    gone_at = begins + np.sort(random.integers(6 * 3600, 22 * 3600, len(gone)))
    people["deleted"][gone] = True
    people["death"][gone] = np.minimum(people["death"][gone], gone_at)
    staying = np.setdiff1d(present, gone)
    who = {}
    for trait, chance in DAILY.items():
        chosen = random.choice(staying, random.binomial(len(staying), chance), replace=False)
        at = begins + np.sort(random.integers(0, DAY, len(chosen)))
        if trait == "segment":
            step = random.integers(1, len(SEGMENTS), len(chosen))
            people["segment"][chosen] = (people["segment"][chosen] + step) % len(SEGMENTS)
        else:
            people[trait][chosen] += 1
        who[trait] = (chosen, at, people[trait][chosen].astype(np.int64))
    chosen = random.choice(staying, random.binomial(len(staying), CONSENT_DAILY), replace=False)
    purpose = random.integers(0, len(PURPOSES), len(chosen))
    granted = ~people["consent"][chosen, purpose]
    people["consent"][chosen, purpose] = granted
    at = begins + np.sort(random.integers(0, DAY, len(chosen)))
    return Changes(who, (chosen, at, purpose, granted), (gone, gone_at), *_assortment(state, random, begins))


def _assortment(state: State, random: np.random.Generator, begins: int) -> tuple[Array, Array, Array]:
    if state.day == 0:
        return (np.zeros(0, np.int64),) * 3
    products = state.products
    on_sale = np.flatnonzero(products["active"])
    retired = on_sale[:0]
    if len(on_sale) > 40 and random.random() < RETIREMENT_DAILY:
        retired = random.choice(on_sale, 1)
    products["active"][retired] = False
    repriced = np.setdiff1d(on_sale[random.random(len(on_sale)) < PRICE_DAILY], retired)
    factor = 0.85 + 0.35 * random.random(len(repriced))
    products["cents"][repriced] = np.round(products["list_cents"][repriced] * factor / 10).astype(np.int64) * 10 - 1
    launched = np.zeros(0, np.int64)
    if random.random() < LAUNCH_DAILY:
        launched = np.array([len(products)])
        fresh = np.zeros(1, PRODUCT)
        fresh["cents"] = CATEGORIES[len(products) % len(CATEGORIES)][2] // 10 * 10 - 1
        fresh["list_cents"], fresh["created"], fresh["active"] = fresh["cents"], begins, True
        state.products = np.concatenate([products, fresh])
    return repriced, launched, retired
