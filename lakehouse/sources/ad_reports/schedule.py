"""When a day's report is read again: often while it is young, seldom later, once more when its numbers no longer move."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

AGES = (1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 28, 42, 60, 90)


def ages(moves_days: int) -> tuple[int, ...]:
    """The ages in days at which a day is read: those on the falling schedule, and the day after its numbers stopped."""
    return (*(age for age in AGES if age <= moves_days), moves_days + 1)


def is_due(day: date, last_read: date | None, today: date, moves_days: int) -> bool:
    """Whether a day's report is to be read `today`; a day is read first when it is over."""
    if day >= today:
        return False
    if last_read is None:
        return True
    return any(day + timedelta(days=age) <= today and last_read < day + timedelta(days=age) for age in ages(moves_days))


def spans(days: Iterable[date], longest: int = 30) -> list[tuple[date, date]]:
    """Consecutive days joined to spans of at most `longest` days."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and (day - found[-1][1]).days == 1 and (day - found[-1][0]).days < longest:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
