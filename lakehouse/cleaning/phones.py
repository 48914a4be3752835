"""Phone numbers."""

from __future__ import annotations

import re
from typing import NamedTuple


class Phone(NamedTuple):
    """A number in the form that can be dialled from anywhere (E.164), its country and kind."""

    number: str
    country: str | None
    kind: str


def phone(text: str | None, country: str | None = None) -> Phone | None:
    """A valid number of a numbering plan (libphonenumber); `country` (ISO 3166) is where a number without prefix is dialled."""
    if not text:
        return None
    import phonenumbers
    from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

    written = re.sub(r"(?i)^\s*(tel|phone|fon|mobil|mobile)\.?\s*:?\s*", "", text.replace("\u00a0", " "))
    written = re.sub(r"^\s*00(?=[1-9])", "+", written).replace("(0)", "")
    try:
        found = phonenumbers.parse(written, country.upper() if country else None)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(found):
        return None
    kinds = {
        PhoneNumberType.MOBILE: "mobile", PhoneNumberType.FIXED_LINE: "fixed", PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed or mobile",
        PhoneNumberType.TOLL_FREE: "toll free", PhoneNumberType.PREMIUM_RATE: "premium", PhoneNumberType.VOIP: "voip",
    }  # fmt: skip
    kind = kinds.get(phonenumbers.number_type(found), "other")
    return Phone(phonenumbers.format_number(found, PhoneNumberFormat.E164), phonenumbers.region_code_for_number(found), kind)
