"""Columns that likely tell of a person: by what they are called and by what their values look like."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence

ENOUGH = 0.8
NAMES = {
    "e-mail": r"e[-_ ]?mail", "phone": r"phone|mobile|telefon|handy|fax",
    "name": r"(first|last|full|sur|contact|customer)[-_ ]?name|vorname|nachname", "birth": r"birth|geburt|\bdob\b",
    "address": r"street|address|strasse|straße|house_?n", "postcode": r"post_?code|zip|plz", "ip": r"(^|[_ ])ip([_ ]|$)|ip_address",
    "account": r"iban|account_?n|card_?n", "gender": r"gender|sex(?![a-z])", "income": r"income|salary", "location": r"latitude|longitude",
}  # fmt: skip
FEW = 10
"""Of so few different words none tells of one person: `PhoneService` holds Yes and No."""
PSEUDONYMS = r"(customer|user|client|member|visitor|subscriber|contact|person|lead|mql|seller)[-_ ]?(id|no|number|key)$|cookie|device_id"
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
PHONE = re.compile(r"(\+|00)[1-9][0-9 ()/.-]{7,17}|\(?0[0-9]{2,5}\)?[ /-][0-9 -]{5,12}")
IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def likely_personal(name: str, sample: Sequence[str]) -> str:
    """What it likely is ("e-mail", "phone", "pseudonym"…), or ""."""
    for kind, holds in LOOKS.items():
        if sample and sum(map(holds, sample)) >= ENOUGH * len(sample):
            return kind
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    for kind, pattern in NAMES.items():
        if re.search(pattern, spaced) and (kind == "gender" or not sample or len(set(sample)) > FEW):
            return kind
    return "pseudonym" if re.search(PSEUDONYMS, spaced) else ""


def sensitivity(kind: str) -> str:
    """The sensitivity to declare for a kind of personal data."""
    return {"": "internal", "pseudonym": "pseudonym", "ip": "pseudonym"}.get(kind, "personal")


def _is_ip(value: str) -> bool:
    if value.count(".") != 3 and value.count(":") < 2:
        return False
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _is_card(value: str) -> bool:
    digits = re.sub(r"[ -]", "", value)
    if not (digits.isdecimal() and 13 <= len(digits) <= 19):
        return False
    doubled = [int(d) * (1 + n % 2) for n, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


LOOKS: dict[str, Callable[[str], bool]] = {
    "e-mail": lambda v: EMAIL.fullmatch(v) is not None, "phone": lambda v: PHONE.fullmatch(v) is not None, "ip": _is_ip,
    "account": lambda v: IBAN.fullmatch(v) is not None or _is_card(v),
}  # fmt: skip
