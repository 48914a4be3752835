"""What a day is: holiday, weekend, week."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple


class DayFacts(NamedTuple):
    """A day in a country."""

    weekday: int
    iso_week: int
    is_weekend: bool
    is_holiday: bool
    holiday: str | None
    is_bridge_day: bool


@lru_cache(maxsize=256)
def _holidays(country: str, region: str | None, year: int) -> Any:
    import holidays

    return holidays.country_holidays(country, subdiv=region, years=year, language="en_US" if country in ENGLISH else None)


ENGLISH = frozenset(["AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GR", "HU", "IT", "NL", "NO", "PL", "PT", "SE", "US"])


def _holiday(day: date, country: str, region: str | None) -> str | None:
    try:
        return _holidays(country, region, day.year).get(day)  # type: ignore[no-any-return]
    except NotImplementedError:
        return None


def day_facts(day: date | None, country: str = "DE", region: str | None = None) -> DayFacts | None:
    """Weekday (1 Monday), ISO week, weekend, public holiday of a country or its region; a bridge day lies between two free ones."""
    if day is None:
        return None
    named = _holiday(day, country.upper(), region)
    weekend = day.isoweekday() >= 6
    around = [day + timedelta(days=n) for n in (-1, 1)]
    free = [d.isoweekday() >= 6 or _holiday(d, country.upper(), region) is not None for d in around]
    bridge = all(free) and not weekend and named is None
    return DayFacts(day.isoweekday(), day.isocalendar().week, weekend, named is not None, named, bridge)
