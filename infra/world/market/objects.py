"""All that the other systems land at the end of a day, and the truth behind it."""

from __future__ import annotations

from typing import Any

from infra.world.company import Company
from infra.world.day import Day
from infra.world.market import crm, mailing, outside, stores, surveys, voices
from infra.world.market.lines import Objects
from infra.world.state import State


def objects(company: Company, before: State, day: Day) -> Objects:
    """Give key and content of each object, one at a time; what is said later is left in the day's last state."""
    voices.remember(company, before, day)
    yield from surveys.answers(company, before)
    yield from mailing.lots(company, before, day)
    yield from mailing.events(company, before, day)
    yield from crm.contacts(company, before, day)
    yield from crm.companies(company, before)
    yield from voices.voices(company, before, day)
    yield from stores.planned(company, before)
    yield from stores.landed(company, before, day)
    yield from outside.observations(company, before)
    yield from outside.tracker(company, before, day)


def truths(company: Company, before: State, day: Day) -> dict[str, dict[str, Any]]:
    """Give the day's truth by subject: causes and sentiment of texts, and what the experiments do."""
    found = {"voices": voices.truth(company, before, day), "stores": stores.truth(company, before, day)}
    offers = mailing.arms(company, before)
    return found | ({"offers": offers} if offers else {})
