"""All that the other systems land at the end of a day."""

from __future__ import annotations

from collections.abc import Iterator

from infra.world.company import Company
from infra.world.day import Day
from infra.world.market import surveys
from infra.world.state import State


def objects(company: Company, before: State, day: Day) -> Iterator[tuple[str, bytes]]:
    """Give key and content of each object, one at a time."""
    yield from surveys.answers(company, before)
