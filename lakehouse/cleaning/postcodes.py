"""Postcodes: in one spelling, held against the country's form, and the area they lie in."""

from __future__ import annotations

import re
from typing import NamedTuple


class Postcode(NamedTuple):
    """A postcode as its post writes it, and the part of it that names an area."""

    code: str
    area: str


FORMS: dict[str, tuple[str, str, int]] = {
    "AT": (r"[1-9]\d{3}", r"\g<0>", 1), "AU": (r"\d{4}", r"\g<0>", 1), "BE": (r"[1-9]\d{3}", r"\g<0>", 1),
    "BR": (r"(\d{5})(\d{3})", r"\1-\2", 1),
    "CA": (r"([ABCEGHJ-NPRSTVXY]\d[A-Z])(\d[A-Z]\d)", r"\1 \2", 3), "CH": (r"[1-9]\d{3}", r"\g<0>", 1),
    "CZ": (r"(\d{3})(\d{2})", r"\1 \2", 1),
    "DE": (r"\d{5}", r"\g<0>", 2), "DK": (r"\d{4}", r"\g<0>", 1), "ES": (r"(0[1-9]|[1-4]\d|5[0-2])\d{3}", r"\g<0>", 2),
    "FI": (r"\d{5}", r"\g<0>", 2),
    "FR": (r"\d{5}", r"\g<0>", 2), "GB": (r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})", r"\1 \2", 0),
    "IE": (r"([AC-FHKNPRTV-Y]\d[0-9W])([0-9AC-FHKNPRTV-Y]{4})", r"\1 \2", 3), "IT": (r"\d{5}", r"\g<0>", 2),
    "NL": (r"([1-9]\d{3})([A-Z]{2})", r"\1 \2", 2),
    "NO": (r"\d{4}", r"\g<0>", 2), "PL": (r"(\d{2})(\d{3})", r"\1-\2", 2), "PT": (r"(\d{4})(\d{3})", r"\1-\2", 1),
    "SE": (r"(\d{3})(\d{2})", r"\1 \2", 2),
    "US": (r"(\d{5})(\d{4})?", r"\1", 3),
}  # fmt: skip
"""Country → form without blanks and dashes, spelling, and how many characters name the area (0: all before the blank)."""


def postcode(text: str | None, country: str | None) -> Postcode | None:
    """`sw1a1aa`, GB → `SW1A 1AA` in area SW1A; a zero lost by a spreadsheet is put back (DE `1067` → `01067`); None where it is none."""
    if not text or not country or country.upper() not in FORMS:
        return None
    form, spelling, length = FORMS[country.upper()]
    bare = re.sub(rf"^{country.upper()}(?=-?\d)|[\s.-]", "", text.upper())
    if country.upper() in ("DE", "ES", "FR", "IT", "FI", "US") and re.fullmatch(r"\d{4}", bare):
        bare = f"0{bare}"
    found = re.fullmatch(form, bare)
    if found is None:
        return None
    code = found.expand(spelling)
    return Postcode(code, code[:length] if length else code.split(" ")[0])
