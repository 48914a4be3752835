"""Local times as moments."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FORMS = (
    "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d",
)  # fmt: skip


class Moment(NamedTuple):
    """A moment in UTC; whether its local time came twice (the earlier is taken) or never (clocks went forward over it)."""

    at: datetime
    was_ambiguous: bool
    was_skipped: bool


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def moment(text: str | None, zone: str = "UTC", form: str | None = None) -> Moment | None:
    """A time written in ISO 8601 (or in `form`, as strptime has it) in a zone of the IANA database, unless it says its own offset."""
    place = _zone(zone)
    if not text or place is None:
        return None
    for each in (form,) if form else FORMS:
        try:
            written = datetime.strptime(text.strip(), each)
        except ValueError:
            continue
        if written.tzinfo is not None:
            return Moment(written.astimezone(UTC), False, False)
        first, second = (written.replace(tzinfo=place, fold=fold) for fold in (0, 1))
        differs = first.utcoffset() != second.utcoffset()
        skipped = differs and first.astimezone(UTC).astimezone(place).replace(tzinfo=None) != written
        return Moment(first.astimezone(UTC), differs and not skipped, skipped)
    return None
