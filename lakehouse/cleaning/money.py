"""Amounts of money as people and exports write them."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

SIGNS = {"€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY", "zł": "PLN", "₹": "INR", "₽": "RUB", "₺": "TRY", "₩": "KRW", "us$": "USD",
    "r$": "BRL",
         "a$": "AUD", "c$": "CAD", "fr.": "CHF", "sfr": "CHF", "kč": "CZK", "euro": "EUR", "euros": "EUR", "dollar": "USD"}  # fmt: skip
"""A sign that several currencies share stands for the one it is most used for."""


class Money(NamedTuple):
    """An amount, and the currency written with it."""

    amount: Decimal
    currency: str | None


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    from babel.numbers import list_currencies

    return frozenset(list_currencies())


def currency_code(text: str | None) -> str | None:
    """The ISO 4217 code of a code or sign."""
    if not text or not text.strip():
        return None
    plain = text.strip()
    return plain.upper() if plain.upper() in _codes() else SIGNS.get(plain.casefold())


def money(text: str | None, decimal_sign: str | None = None) -> Money | None:
    """`1.234,56 €`, `(1,234.56)`, `EUR -5`, `CHF 1'000.–` → amount and currency; None where it is none or can be read two ways.

    Where only one sign stands in it, three digits behind it (`1,234`) are ambiguous: `decimal_sign` says which is meant.
    """
    if not text:
        return None
    plain = re.sub(r"[\s\u00a0\u202f]", "", text).replace("−", "-").replace("–", "-")
    found = re.fullmatch(r"([^\d(+-]*)([(+-]*)([^\d(+-]*)(\d[\d.,'’]*?)([.,]-+)?(\)?)([^\d)]*?)(-?)", plain)
    if found is None:
        return None
    before, sign, inner, digits, _, closing, after, behind = found.groups()
    currency = next((c for c in map(currency_code, (before, inner, after)) if c), None)
    if (before or inner or after) and currency is None:
        return None
    number = _number(digits, decimal_sign)
    if number is None or ("(" in sign) != bool(closing):
        return None
    return Money(-number if "-" in sign or "(" in sign or behind else number, currency)


def _number(digits: str, decimal_sign: str | None) -> Decimal | None:
    plain = re.sub(r"['’]", "", digits)
    signs = [c for c in plain if c in ".,"]
    last = signs[-1] if signs else ""
    if decimal_sign:
        fraction = decimal_sign
    elif len(set(signs)) == 2:
        fraction = last
    elif len(signs) > 1:
        fraction = ""
    elif signs and len(plain.rpartition(last)[2]) == 3 and not plain.startswith("0"):
        return None
    else:
        fraction = last
    other = {".": ",", ",": "."}.get(fraction, ".,")
    groups = plain.partition(fraction)[0] if fraction else plain
    if any(sign in groups for sign in other) and not re.fullmatch(r"\d{1,3}([.,]\d{3})+", groups):
        return None
    for sign in other:
        plain = plain.replace(sign, "")
    try:
        return Decimal(plain.replace(",", ".") if fraction else plain)
    except InvalidOperation:
        return None
