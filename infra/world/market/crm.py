"""The CRM's exports, messy as people type: spellings, capitals, forms of numbers, several contacts that are one person; companies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from infra.world.company import SEGMENTS, Company
from infra.world.day import Day
from infra.world.market.lines import Objects, csv_lines, local, workbook
from infra.world.market.minds import share
from infra.world.population import LAST_NAMES, contact, customer_id
from infra.world.randomness import pick, scatter
from infra.world.state import Array, State

TWICE, LINKED, OLD_STYLE = 0.07, 0.80, 0.35
"""Shares: persons with a second contact, contacts that carry the shop's customer number, values typed in another way."""
ENTERED_TWICE, AGAIN = 0.1, 50_000
"""Share of companies that somebody entered a second time, and how much higher the second number is."""
HEADER = (
    "Contact No", "Shop customer", "Name", "E-Mail", "Phone", "Company No", "Street", "Zip", "City", "Country", "Kind", "Last change",
)  # fmt: skip
COUNTRIES = {
    "DE": ("Deutschland", "GERMANY", "BRD", "de"), "AT": ("Österreich", "Austria", "AUT", "at"),
    "CH": ("Schweiz", "Switzerland", "Suisse", "ch"), "NL": ("Niederlande", "Holland", "The Netherlands", "nl"),
    "FR": ("Frankreich", "FRANCE", "fr", "FRA"), "IT": ("Italien", "Italia", "IT ", "ita"),
}  # fmt: skip
FORMS = ("GmbH", "AG", "KG", "e.K.", "Ltd", "B.V.")
TRADES = ("Café", "Hotel", "Office", "Bakery", "Catering")
BUSINESS = SEGMENTS.index("business")


def contact_no(index: int, copy: int) -> str:
    """Number a contact so that nothing tells whose copy it is."""
    return f"K{(2 * index + copy + 1) * 2_654_435_761 % 2**32:010d}"


def has_second(company: Company, who: Array) -> Array:
    """Tell which persons are in the CRM twice."""
    result: Array = share(company.seed, "second contact", who) < TWICE
    return result


def companies_of(company: Company, who: Array | list[int]) -> Array:
    """Give the company in which a business customer works."""
    return pick(company.seed, "works at", who, max(5, round(40 * company.scale)))


def contacts(company: Company, before: State, day: Day) -> Objects:
    """Give the contacts that are new or changed today; on the first day all."""
    yield from csv_lines("crm/contacts", str(company.date(before.day)), HEADER, _contacts(company, before, day), ";")


def _contacts(company: Company, before: State, day: Day) -> Iterator[tuple[str, ...]]:
    after, at = day.after.customers, company.second(before.day + 1) - 1
    changed = np.unique(np.concatenate([who for who, _, _ in day.changes.who.values()]))
    begun = np.arange(0 if before.day == 0 else day.first_newcomer, len(after))
    for index in np.union1d(changed[~after["deleted"][changed]], begun).tolist():
        yield _contact(company, after, index, 0, at)
        if has_second(company, np.array([index]))[0]:
            yield _contact(company, after, index, 1, at - 3600)


def _contact(company: Company, people: Array, index: int, copy: int, at: int) -> tuple[str, ...]:
    person = contact(company, index, int(people["email"][index]), int(people["address"][index]))
    first, last, number = person["first_name"], person["last_name"], person["phone"].removeprefix("+49 30 ")
    key = scatter(company.seed, "typed", [2 * index + copy])[0]

    def typed(shift: int, usual: str, *others: Callable[[], str]) -> str:
        luck = int(key >> np.uint64(shift)) % 1000
        return others[luck % len(others)]() if luck < 1000 * OLD_STYLE else usual

    name = typed(
        0, f"{first} {last}", lambda: f"{last}, {first}", lambda: f"{first} {last}".upper(), lambda: f" {first}  {last}".lower(),
        lambda: f"Dr. {first} {last}", lambda: f"{first[0]}. {last}",
    )  # fmt: skip
    plain = "".join(c for c in last.lower() if c.isascii() and c.isalpha())
    mail = person["email"] if not copy else f"{plain}{index + 1}@mail.example.com"
    mail = typed(10, mail, lambda: mail.upper(), lambda: f"mailto:{mail}", lambda: f" {mail};", lambda: f"{first} <{mail}>")
    phone = typed(
        20, f"+49 30 {number}", lambda: f"030/{number}", lambda: f"0049 (0)30 {number[:3]} {number[3:]}", lambda: f"Tel. 030-{number}",
        lambda: "unknown",
    )  # fmt: skip
    country, postcode = person["country"], person["postcode"]
    business = int(people["segment"][index]) == BUSINESS
    linked = not copy and share(company.seed, "linked", [index])[0] < LINKED
    return (
        contact_no(index, copy), customer_id(index) if linked else "", name, mail, phone,
        f"F{int(companies_of(company, [index])[0]) + 1:05d}" if business else "", person["street"],
        typed(30, postcode, lambda: postcode.lstrip("0"), lambda: f" {postcode}"), person["city"],
        typed(40, country, *(lambda c=c: c for c in COUNTRIES[country])), SEGMENTS[people["segment"][index]], local(at),
    )  # fmt: skip


def companies(company: Company, before: State) -> Objects:
    """On the first day and the first of a month, give all companies as a workbook with a title above the header."""
    today = company.date(before.day)
    if before.day and today.day != 1:
        return
    rows: list[tuple[object, ...]] = [("Companies, exported by the CRM",), ("Company No", "Name", "Trade", "Employees", "VAT No")]
    number = max(5, round(40 * company.scale))
    again = np.flatnonzero(share(company.seed, "entered twice", np.arange(number)) < ENTERED_TWICE).tolist()
    rows += [_company(company, index, False) for index in range(number)] + [_company(company, index, True) for index in again]
    yield f"crm/companies/{today}.xlsx", workbook("Companies", rows)


def _company(company: Company, index: int, again: bool) -> tuple[object, ...]:
    """Give a company's row; entered again it has another number, umlauts are spelled out and half of the VAT numbers are left out."""
    key = int(scatter(company.seed, "company", [index])[0])
    form, trade = FORMS[(key >> 16) % len(FORMS)], TRADES[(key >> 8) % len(TRADES)]
    name = f"{LAST_NAMES[key % len(LAST_NAMES)]} {trade} {form}"
    digits = f"{(key >> 20) % 10**9:09d}"
    vat = {"Ltd": f"GB{digits}", "B.V.": f"NL{digits}B01"}.get(form, f"DE{digits}")
    if again:
        name = name.replace("ü", "ue").replace("ø", "oe").replace("é", "e").lower()
    known = not (key % 2 if again else key % 11 == 0)
    staff: object = "n/a" if key % 13 == 0 else 1 + (key >> 30) % 400
    shown = name.upper() if key % 5 == 0 and not again else name
    return f"F{index + 1 + AGAIN * again:05d}", shown, trade, staff, vat if known else ""


def identities(company: Company, state: State) -> dict[str, list[str]]:
    """Give the truth: which contacts are which person."""
    second = np.flatnonzero(has_second(company, np.arange(len(state.customers)))).tolist()
    every = [(index, 0) for index in range(len(state.customers))] + [(index, 1) for index in second]
    return {
        "contact_id": [contact_no(*each) for each in every],
        "customer_id": [customer_id(index) for index, _ in every],
    }
