"""Names of persons."""

from __future__ import annotations

import re
from typing import NamedTuple

from lakehouse.cleaning.texts import plain_text

TITLES = {
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "dame", "herr", "frau", "hr", "fr", "m", "mme", "mlle", "sr", "sra", "srta",
    "dott",
    "ing", "dipl", "rev",
}  # fmt: skip
SUFFIXES = {"jr", "sr", "ii", "iii", "iv", "phd", "md", "mba", "esq", "bsc", "msc"}
PARTICLES = {"von", "van", "der", "den", "de", "del", "della", "di", "da", "dos", "du", "la", "le", "zu", "zum", "ter", "af", "av",
    "bin", "ibn"}
NO_NAMES = {"n/a", "na", "none", "null", "test", "unknown", "unbekannt", "-", "xxx", "asdf", "anonymous"}


class PersonName(NamedTuple):
    """A name in its parts; `full` is given name and family name."""

    title: str | None
    given: str | None
    family: str | None
    full: str


def person_name(text: str | None) -> PersonName | None:
    """`DR. MÜLLER-LÜDENSCHEIDT, hans` → Dr, Hans, Müller-Lüdenscheidt. Capitals change only where all or none are."""
    plain = plain_text(text)
    if plain is None or plain.casefold() in NO_NAMES or not any(c.isalpha() for c in plain) or "@" in plain:
        return None
    titles: list[str] = []
    family, comma, given = plain.partition(",")
    if comma and _bare(given) in SUFFIXES:
        family, comma = plain.replace(",", " "), ""
    words = [*given.split(), *family.split()] if comma else plain.replace(",", " ").split()
    count_family = len([w for w in family.split() if _bare(w) not in TITLES]) if comma else 0
    kept: list[str] = []
    for word in words:
        if (_bare(word) in TITLES and not kept) or (comma and _bare(word) in TITLES and word.endswith(".")):
            titles.append(_cased(word.rstrip("."), True))
        else:
            kept.append(word)
    while len(kept) > 1 and _bare(kept[-1]) in SUFFIXES:
        kept.pop()
    if not kept:
        return None
    recase = plain.isupper() or plain.islower()
    named = [_cased(w, recase) for w in kept]
    begin = len(named) - count_family if comma else _family_begins(kept)
    first, last = " ".join(named[:begin]), " ".join(named[begin:])
    return PersonName(" ".join(titles) or None, first or None, last or None, f"{first} {last}".strip())


def _bare(word: str) -> str:
    return word.strip(" .").casefold()


def _family_begins(words: list[str]) -> int:
    """The last word, with the particles before it; a single word is a given name."""
    if len(words) == 1:
        return 1
    begin = len(words) - 1
    while begin > 1 and _bare(words[begin - 1]) in PARTICLES:
        begin -= 1
    return begin


def _cased(word: str, recase: bool) -> str:
    if not recase:
        return word
    if _bare(word) in PARTICLES:
        return word.lower()
    parts = re.split(r"([-'’])", word.lower())
    cased = "".join(p[:1].upper() + p[1:] for p in parts)
    return re.sub(r"^Mc([a-z])", lambda m: "Mc" + m[1].upper(), cased)
