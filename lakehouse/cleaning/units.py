"""Quantities in the unit wanted."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _units() -> Any:
    import pint

    return pint.UnitRegistry(non_int_type=Decimal, autoconvert_offset_to_baseunit=True)


@lru_cache(maxsize=4_096)
def _factor(unit: str, wanted: str) -> tuple[Decimal, Decimal] | None:
    """Slope and intercept from one unit to another; None where they measure different things or are no units."""
    import pint

    try:
        registry = _units()
        at_zero, at_one = (registry.Quantity(Decimal(n), unit).to(wanted).magnitude for n in (0, 1))
    except (pint.PintError, AttributeError, ValueError, TypeError, AssertionError):
        return None
    return Decimal(at_one) - Decimal(at_zero), Decimal(at_zero)


def in_unit(text: str | None, wanted: str, unit: str | None = None) -> Decimal | None:
    """`2.5 lb`, `kg` → 1.13398093; `72 °F`, `degC` → 22.2222. `unit` is what a bare number is in; None where it is no such quantity."""
    found = re.fullmatch(r"\s*([+-]?\d+(?:[.,]\d+)?)\s*([^\d\s].*?)?\s*", text or "")
    if found is None or not (found[2] or unit):
        return None
    named = (found[2] or unit or "").replace("°", "deg").replace("µ", "u").replace("²", "**2").replace("³", "**3")
    factor = _factor(named, wanted) or _factor(named.lower(), wanted)
    if factor is None:
        return None
    slope, intercept = factor
    return round(Decimal(found[1].replace(",", ".")) * slope + intercept, 8).normalize()
