"""The shop's database: what a day changes in it, hour by hour, and how that is written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import psycopg
from psycopg import sql

from infra.world.company import AD_GROUPS, EMAIL, HOUR, ORGANIC, PAID, PURPOSES, REFERRAL, SEGMENTS, Company
from infra.world.day import Day
from infra.world.orders import PAYMENTS
from infra.world.population import Row, contact, customer_id, money, order_id, place, product, product_id
from infra.world.state import CANCEL, DELIVER, REFUND, SHIP, State

SCHEMA = Path(__file__).with_name("shop.sql")
KEYS = {
    "products": "product_id",
    "customers": "customer_id",
    "consents": "consent_id",
    "orders": "order_id",
    "order_lines": "line_id",
    "refunds": "refund_id",
}
CHUNK = 5_000
STATUS = {SHIP: "shipped", DELIVER: "delivered", CANCEL: "cancelled"}
REASONS = ("damaged", "not_as_described", "changed_mind")
Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Step:
    """One statement: insert, update or delete rows of a table, or cut the deleted customers' orders loose."""

    verb: str
    table: str
    rows: list[Row]


def moment(second: int) -> str:
    """Write Unix seconds as ISO 8601."""
    return datetime.fromtimestamp(second, UTC).isoformat()


def source(channel: int, group: int) -> Row:
    """Give the utm fields of a visit."""
    if channel in PAID:
        medium, name = ("cpc", "google") if channel == 0 else ("paid_social", "meta")
        return {"utm_source": name, "utm_medium": medium, "utm_campaign": AD_GROUPS[group].utm_campaign}
    if channel == EMAIL:
        return {"utm_source": "newsletter", "utm_medium": "email", "utm_campaign": "newsletter"}
    medium_only = {ORGANIC: "organic", REFERRAL: "referral"}.get(channel)
    return {"utm_source": None, "utm_medium": medium_only, "utm_campaign": None}


@cache
def _source(channel: int, group: int) -> Row:
    return source(channel, group)


def founding(company: Company, state: State) -> Iterator[Step]:
    """Give the rows the shop holds before its first hour."""
    begins = company.second(0)
    yield Step("insert", "products", [_product(state, i, begins) for i in range(len(state.products))])
    for start in range(0, len(state.customers), CHUNK):
        yield from _newcomers(company, state, range(start, min(start + CHUNK, len(state.customers))), begins)


def _product(state: State, index: int, at: int) -> Row:
    known = state.products[index]
    cost = money(int(known["list_cents"]) * 11 // 20)
    return (
        product(index)
        | {"price": money(int(known["cents"])), "cost": cost, "is_active": bool(known["active"])}
        | {
            "created_at": moment(at),
            "updated_at": moment(at),
        }
    )


def _newcomers(company: Company, state: State, indices: Iterable[int], at: int | None = None) -> Iterator[Step]:
    people, consents = [], []
    for index in indices:
        known = state.customers[index]
        created = moment(int(known["created"]))
        changed = created if at is None else moment(at)
        person = {"customer_id": customer_id(index)} | contact(company, index, 0, 0)
        people.append(person | {"segment": SEGMENTS[known["segment"]], "created_at": created, "updated_at": changed})
        for purpose, granted in zip(PURPOSES, known["consent"].tolist(), strict=True):
            consents.append(_consent(index, purpose, granted, "signup", created, changed))
    yield Step("insert", "customers", people)
    yield Step("insert", "consents", consents)


def _consent(index: int, purpose: str, granted: bool, told: str, changed: str, updated: str) -> Row:
    return {
        "consent_id": f"{customer_id(index)}:{purpose}",
        "customer_id": customer_id(index),
        "purpose": purpose,
        "is_granted": granted,
        "source": told,
        "changed_at": changed,
        "updated_at": updated,
    }


def steps(company: Company, day: Day, hour: int) -> Iterator[Step]:
    """Give the statements of one hour of a day, in order."""
    begin = company.second(day.day) + hour * HOUR
    end = begin + HOUR
    if hour == 0:
        yield from _assortment(day, begin)
    after, changes = day.after, day.changes
    created = after.customers["created"][day.first_newcomer :]
    here = np.flatnonzero((created >= begin) & (created < end)) + day.first_newcomer
    yield from _newcomers(company, after, here.tolist())
    yield from _orders(day, begin, end)
    for trait, (who, at, value) in changes.who.items():
        chosen = [(int(w), int(a), int(v)) for w, a, v in zip(who, at, value, strict=True) if begin <= a < end]
        yield Step("update", "customers", [_changed(company, trait, *each) for each in chosen])
    yield from _consents(day, begin, end)
    yield from _due(day, begin, end)
    gone = [(int(w), int(a)) for w, a in zip(*changes.deleted, strict=True) if begin <= a < end]
    for who, at in gone:
        yield Step("forget", "customers", [{"customer_id": customer_id(who), "updated_at": moment(at)}])


def _changed(company: Company, trait: str, who: int, at: int, value: int) -> Row:
    key = {"customer_id": customer_id(who), "updated_at": moment(at)}
    if trait == "email":
        return key | {"email": contact(company, who, value, 0)["email"]}
    return key | (place(company, who, value) if trait == "address" else {"segment": SEGMENTS[value]})


def _assortment(day: Day, at: int) -> Iterator[Step]:
    state, changes = day.after, day.changes
    launched = changes.launched.tolist()
    yield Step("insert", "products", [_product(state, i, at) for i in launched])
    prices = [
        {"product_id": product_id(i), "price": money(int(state.products["cents"][i])), "updated_at": moment(at)}
        for i in changes.repriced.tolist()
    ]
    yield Step("update", "products", prices)
    gone = [{"product_id": product_id(i), "is_active": False, "updated_at": moment(at)} for i in changes.retired.tolist()]
    yield Step("update", "products", gone)


def _orders(day: Day, begin: int, end: int) -> Iterator[Step]:
    taken = day.orders
    first, last = np.searchsorted(taken.at, [begin, end])
    line_first, line_last = np.searchsorted(taken.line_order, [first, last])
    amounts = taken.amount_cents[line_first:line_last]
    totals = np.bincount(taken.line_order[line_first:line_last] - first, amounts, int(last - first)).astype(np.int64)
    orders = []
    for i, total in zip(range(int(first), int(last)), totals.tolist(), strict=True):
        at = moment(int(taken.at[i]))
        orders.append(
            {
                "order_id": order_id(int(taken.number[i])),
                "customer_id": customer_id(int(taken.customer[i])),
                "status": "placed",
                "sales_channel": "phone" if taken.by_phone[i] else "web",
                **_source(int(taken.channel[i]), int(taken.group[i])),
                "payment_method": PAYMENTS[taken.payment[i]],
                "currency": "EUR",
                "total": money(total),
                "ordered_at": moment(int(taken.ordered_at[i])),
                "created_at": at,
                "updated_at": at,
            }
        )
    yield Step("insert", "orders", orders)
    lines = []
    for i, amount in zip(range(int(line_first), int(line_last)), amounts.tolist(), strict=True):
        of = int(taken.line_order[i])
        order, number = order_id(int(taken.number[of])), int(taken.line_number[i])
        lines.append(
            {
                "line_id": f"{order}-{number}",
                "order_id": order,
                "line_number": number,
                "product_id": product_id(int(taken.product[i])),
                "quantity": int(taken.quantity[i]),
                "unit_price": money(int(taken.unit_cents[i])),
                "discount": money(int(taken.discount_cents[i])),
                "amount": money(amount),
                "updated_at": moment(int(taken.at[of])),
            }
        )
    yield Step("insert", "order_lines", lines)


def _consents(day: Day, begin: int, end: int) -> Iterator[Step]:
    rows = []
    for who, at, purpose, granted in zip(*(part.tolist() for part in day.changes.consent), strict=True):
        if begin <= at < end:
            told = "support" if who % 10 == 0 else "preference_centre"
            rows.append(_consent(who, PURPOSES[purpose], granted, told, moment(at), moment(at)))
    yield Step("update", "consents", rows)


def _due(day: Day, begin: int, end: int) -> Iterator[Step]:
    due = day.orders.due
    statuses, refunds = [], []
    number = day.orders.first_refund + np.cumsum(due["kind"] == REFUND) - 1
    for each, refund in zip(due, number.tolist(), strict=True):
        if not begin <= each["at"] < end:
            continue
        order, at = order_id(int(each["order"])), moment(int(each["at"]))
        if each["kind"] != REFUND:
            statuses.append({"order_id": order, "status": STATUS[int(each["kind"])], "updated_at": at})
            continue
        refunds.append(
            {
                "refund_id": f"R{refund:09d}",
                "order_id": order,
                "line_id": f"{order}-{each['line']}",
                "amount": money(int(each["cents"])),
                "reason": REASONS[each["reason"]],
                "refunded_at": at,
                "updated_at": at,
            }
        )
    yield Step("update", "orders", statuses)
    yield Step("insert", "refunds", refunds)


def write(connection: Connection, todo: Iterable[Step]) -> int:
    """Carry out statements in the open transaction and return how many rows they carried."""
    rows = 0
    for step in todo:
        rows += len(step.rows)
        for start in range(0, len(step.rows), CHUNK):
            part = step.rows[start : start + CHUNK]
            if step.verb == "forget":
                _forget(connection, part[0])
            else:
                statement = _statement(step.verb, step.table, tuple(part[0]))
                connection.execute(statement, [orjson.dumps(part).decode()])
    return rows


@cache
def _statement(verb: str, table: str, columns: tuple[str, ...]) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    given = sql.SQL("jsonb_populate_recordset(NULL::{t}, %s::jsonb)").format(t=sql.Identifier(table))
    if verb == "insert":
        return sql.SQL("INSERT INTO {t} ({names}) SELECT {names} FROM {given}").format(t=sql.Identifier(table), names=names, given=given)
    key = sql.Identifier(KEYS[table])
    sets = sql.SQL(", ").join(sql.SQL("{c} = given.{c}").format(c=sql.Identifier(c)) for c in columns if c != KEYS[table])
    return sql.SQL("UPDATE {t} SET {sets} FROM {given} given WHERE {t}.{key} = given.{key}").format(
        t=sql.Identifier(table), sets=sets, given=given, key=key
    )


def _forget(connection: Connection, row: Row) -> None:
    who, at = row["customer_id"], row["updated_at"]
    connection.execute("SELECT set_config('shop.now', %s, true)", [at])
    connection.execute("UPDATE orders SET customer_id = NULL, updated_at = %s WHERE customer_id = %s", [at, who])
    connection.execute("DELETE FROM consents WHERE customer_id = %s", [who])
    connection.execute("DELETE FROM customers WHERE customer_id = %s", [who])
    connection.execute("SELECT set_config('shop.now', '', true)")
