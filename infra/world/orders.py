"""Orders with their lines, and what becomes of them later: shipped, delivered, cancelled, refunded."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from infra.world.company import DAY, DIRECT, HOUR, Company
from infra.world.life import Changes
from infra.world.state import CANCEL, DELIVER, PENDING, REFUND, SHIP, Array, State

if TYPE_CHECKING:
    from infra.world.day import Visits

PHONE_SHARE, CANCELLED_SHARE, REFUNDED_SHARE, DISCOUNT_SHARE = 0.012, 0.03, 0.05, 0.15
PAYMENTS = ("card", "paypal", "invoice")


@dataclass
class Orders:
    """The orders of one day in order of time, their lines, and what fell due today of earlier decisions."""

    number: Array
    at: Array
    ordered_at: Array
    visitor: Array
    customer: Array
    channel: Array
    group: Array
    cause: Array
    by_phone: Array
    payment: Array
    line_order: Array
    line_number: Array
    product: Array
    quantity: Array
    unit_cents: Array
    discount_cents: Array
    due: Array
    first_refund: int

    @property
    def amount_cents(self) -> Array:
        """Give each line's amount."""
        result: Array = self.quantity * self.unit_cents - self.discount_cents
        return result


def take_orders(company: Company, state: State, changes: Changes, random: np.random.Generator, visits: "list[Visits]") -> Orders:
    """Turn buying visits into orders with lines and decide their future; moves the state."""
    at = np.concatenate([v.at for v in visits])
    order = np.argsort(at, kind="stable")
    at, visitor, customer, channel, cause, group = (
        np.concatenate([getattr(v, name) for v in visits])[order] for name in ("at", "visitor", "customer", "channel", "cause", "group")
    )
    n, begins = len(at), company.second(state.day)
    people = state.customers
    np.add.at(people["orders"], customer, 1)
    by_phone = (random.random(n) < PHONE_SHARE) & (people["created"][customer] < begins - 3 * DAY)
    delay = np.where(by_phone, random.integers(HOUR, 40 * HOUR, n), 0)
    ordered_at = np.maximum(at - delay, company.second(0))
    channel, group = np.where(by_phone, DIRECT, channel), np.where(by_phone, -1, group)
    lines = 1 + np.minimum(random.poisson(1.1, n), 5)
    of = np.repeat(np.arange(n), lines)
    number = np.arange(state.next_order, state.next_order + n)
    state.next_order += n
    on_sale = np.flatnonzero(state.products["active"])
    popularity = 1 / (5.0 + np.arange(len(on_sale)))
    product = random.choice(on_sale, len(of), p=popularity / popularity.sum())
    quantity = 1 + np.minimum(random.poisson(0.35 * people["spending"][customer][of] ** 1.5), 20)
    unit = state.products["cents"][product]
    reduced = (random.random(n) < DISCOUNT_SHARE)[of]
    discount = np.where(reduced, quantity * unit // 10, 0)
    starts = np.cumsum(lines) - lines
    amount = quantity * unit - discount
    _decide(state, random, number, at, lines, starts, amount)
    end = begins + DAY
    due = np.sort(state.pending[state.pending["at"] < end], order=["at", "order", "kind"])
    state.pending = state.pending[state.pending["at"] >= end]
    first_refund = state.next_refund
    state.next_refund += int((due["kind"] == REFUND).sum())
    return Orders(
        number, at, ordered_at, visitor, customer, channel, group, cause, by_phone,
        random.choice(len(PAYMENTS), n, p=(0.5, 0.35, 0.15)),
        of, np.arange(len(of)) - starts[of] + 1, product, quantity, unit, discount, due, first_refund,
    )  # fmt: skip


def _decide(state: State, random: np.random.Generator, number: Array, at: Array, lines: Array, starts: Array, amount: Array) -> None:
    n = len(number)
    cancelled = random.random(n) < CANCELLED_SHARE
    shipped = at + random.integers(14 * HOUR, 50 * HOUR, n)
    delivered = shipped + random.integers(20 * HOUR, 96 * HOUR, n)
    refunded = (random.random(n) < REFUNDED_SHARE) & ~cancelled
    line = (random.random(n) * lines).astype(np.int64)
    whole = random.random(n) < 0.7
    back = amount[starts + line] if n else amount
    cents = np.where(whole, back, np.maximum(back // 2, 1))
    moments = (
        (CANCEL, at + random.integers(HOUR // 2, 12 * HOUR, n), cancelled),
        (SHIP, shipped, ~cancelled),
        (DELIVER, delivered, ~cancelled),
        (REFUND, delivered + random.integers(DAY, 14 * DAY, n), refunded),
    )
    reason = random.integers(0, 3, n)
    parts = [state.pending]
    for kind, when, chosen in moments:
        part = np.zeros(int(chosen.sum()), PENDING)
        part["at"], part["kind"], part["order"] = when[chosen], kind, number[chosen]
        part["line"], part["cents"], part["reason"] = line[chosen] + 1, cents[chosen], reason[chosen]
        parts.append(part)
    state.pending = np.concatenate(parts)
