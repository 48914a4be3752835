"""Names of companies."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from lakehouse.cleaning.names import NO_NAMES
from lakehouse.cleaning.texts import plain_text

FORMS = {
    "gmbh": "GmbH", "gmbh&cokg": "GmbH & Co. KG", "mbh": "GmbH", "ag": "AG", "kg": "KG", "ohg": "OHG", "ug": "UG", "gbr": "GbR",
    "ek": "e.K.", "ev": "e.V.", "se": "SE", "ltd": "Ltd", "limited": "Ltd", "plc": "plc", "llc": "LLC", "inc": "Inc.", "corp": "Corp.",
    "bv": "B.V.", "nv": "N.V.", "sa": "S.A.", "sarl": "S.à r.l.", "sàrl": "S.à r.l.", "spa": "S.p.A.", "srl": "S.r.l.", "ab": "AB",
    "oy": "Oy", "as": "A/S", "sas": "SAS",
}  # fmt: skip
"""Legal forms as they end a name, folded → as they are written."""
WORDS_TOO = {"spa", "as", "se"}
"""Forms that are words as well: such only where written with points or a stroke, or in capitals beside small letters."""
LONGEST = 4
"""Words of the longest legal form."""
SPELLED = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae"}


class CompanyName(NamedTuple):
    """A name without its legal form; `identity` is what spellings of one name have in common."""

    name: str
    legal_form: str | None
    identity: str


def company_name(text: str | None) -> CompanyName | None:
    """`MÜLLER  CAFÉ GMBH` → Müller Café, GmbH, `muller cafe`. Capitals change only where all or none are; ü and ue are one letter."""
    plain = plain_text(text)
    if plain is None or plain.casefold() in NO_NAMES or not any(c.isalnum() for c in plain):
        return None
    words = plain.replace(",", " ").split()
    form = None
    for count in range(min(LONGEST, len(words) - 1), 0, -1):
        form = _form(" ".join(words[-count:]), plain)
        if form is not None:
            words = words[:-count]
            break
    name = " ".join(words)
    if name.isupper() or name.islower():
        name = " ".join(w if w == "&" else re.sub(r"(^|[-'’])(\w)", lambda m: m[1] + m[2].upper(), w.lower()) for w in words)
    return CompanyName(name, form, _folded(name))


def _form(written: str, whole: str) -> str | None:
    """The legal form that this is as written at the end of a whole name."""
    bare = re.sub(r"[^\w&]", "", written.casefold())
    if bare in WORDS_TOO and not re.search(r"[./]", written) and (not written.isupper() or whole.isupper()):
        return None
    return FORMS.get(bare)


def _folded(name: str) -> str:
    """Letters and digits of the Latin alphabet, where the name has any; umlauts lose their dots, spelled out or not."""
    spelled = "".join(SPELLED.get(c, c) for c in unicodedata.normalize("NFC", name.casefold()))
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode() or spelled
    short = re.sub(r"(?<=[aou])e", "", plain)
    return re.sub(r"\s+", " ", re.sub(r"[^\w ]", " ", short.replace("&", " and "))).strip()
