"""The market outside: weather, holidays, competitors' prices, and what people in a panel think of the brand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from infra.world.company import PAID_SEARCH, PAID_SOCIAL, Company
from infra.world.day import Day
from infra.world.market.lines import Objects, csv_lines
from infra.world.market.minds import AGES_OF_PANEL, bell
from infra.world.population import CATEGORIES, CITIES
from infra.world.randomness import stream
from infra.world.state import Array, State

COMPETITORS = {"Kaffeekontor": 1.04, "Teehaus24": 0.97, "BigBox": 0.88}
"""Competitors and how their prices stand to the shop's list prices."""
IN_FAHRENHEIT, AHEAD = ("Amsterdam", "Utrecht"), 60
"""Places whose station reports in °F and inches; days for which holidays are told ahead."""
QUESTIONS = ("aided awareness", "consideration", "preference", "ad recall")
LEVEL, BY_ADS, SAMPLE, DRIFT = np.array([-0.4, -1.2, -2.0, -1.6]), np.array([0.35, 0.25, 0.1, 0.9]), 200, 0.15
"""Brand tracker: log-odds without advertising, what full saturation adds, people asked by age group, spread of a week's first figure."""


def temperature(company: Company, place: str, on: date) -> float:
    """Give a day's mean temperature in °C: a yearly wave, weeks and days that differ."""
    key = on.toordinal() * 100 + [c[0] for c in CITIES].index(place)
    year = 10 - 9 * np.cos(2 * np.pi * (on.timetuple().tm_yday - 20) / 365)
    return round(float(year + 3 * bell(company.seed, "warm week", [on.toordinal() // 7])[0] + 2 * bell(company.seed, "warm", [key])[0]), 1)


def rain(company: Company, place: str, on: date) -> float:
    """Give a day's rain in mm; more than half of the days have none."""
    key = on.toordinal() * 100 + [c[0] for c in CITIES].index(place)
    return round(max(0.0, 5 * float(bell(company.seed, "rain", [key])[0]) - 1), 1)


@lru_cache(maxsize=64)
def holiday(country: str, on: date) -> str | None:
    """Name the public holiday of a day, in English."""
    from lakehouse.cleaning import day_facts

    facts = day_facts(on, country)
    return facts.holiday if facts else None


def observations(company: Company, before: State) -> Objects:
    """On Mondays, give the week's weather and competitors' prices, and the holidays of the next weeks."""
    today = company.date(before.day)
    if today.weekday() == 0 and before.day:
        rows = _observed(company, before, today)
        yield from csv_lines("feeds/observations", str(today), ("feed", "series", "place", "day", "value"), rows)


def _observed(company: Company, before: State, today: date) -> Iterator[tuple[str, ...]]:
    for back in range(min(7, before.day), 0, -1):
        on = today - timedelta(days=back)
        for place, _, _ in CITIES:
            warm, wet = temperature(company, place, on), rain(company, place, on)
            units = (f"{warm * 9 / 5 + 32:.1f} °F", f"{wet / 25.4:.3f} in") if place in IN_FAHRENHEIT else (f"{warm} °C", f"{wet} mm")
            yield "weather", "temperature", place, str(on), units[0]
            yield "weather", "rain", place, str(on), units[1]
    for competitor, level in COMPETITORS.items():
        for name, _, cents in CATEGORIES:
            drawn = bell(company.seed, f"{competitor} {name}", [today.toordinal() // 7])[0]
            yield "prices", name, competitor, str(today), f"{cents / 100 * level * (1 + 0.03 * drawn):.2f} EUR"
    for country in sorted({c[2] for c in CITIES}):
        for ahead in range(AHEAD):
            named = holiday(country, today + timedelta(days=ahead))
            if named:
                yield "holidays", named, country, str(today + timedelta(days=ahead)), "1"


def tracked(company: Company, day: Day) -> Array:
    """Give the true shares of the week (questions × age groups)."""
    works = day.advertising.saturation[[PAID_SEARCH, PAID_SOCIAL]].mean()
    odds = LEVEL[:, None] + BY_ADS[:, None] * works + np.array([0.2, 0.1, 0.0, -0.2])
    result: Array = 1 / (1 + np.exp(-odds))
    return result


def tracker(company: Company, before: State, day: Day) -> Objects:
    """On Mondays, give the panel's first figures of the week, and last week's restated with all interviews."""
    today = company.date(before.day)
    if today.weekday() != 0:
        return
    random, true = stream(company.seed, "panel", before.day), tracked(company, day)
    final = random.binomial(SAMPLE, true) / SAMPLE
    first = np.clip(final * np.exp(DRIFT * random.normal(size=final.shape)), 0, 1)
    rows = list(_wave(today, first, SAMPLE // 2, "preliminary"))
    if len(before.panel):
        rows += _wave(today - timedelta(days=7), before.panel, SAMPLE, "final")
    day.after.panel = final
    header = ("wave", "question", "age", "sample", "share", "state", "published")
    yield from csv_lines("panel/brand_tracker", str(today), header, [(*row, str(today)) for row in rows])


def _wave(on: date, shares: Array, sample: int, state: str) -> Iterator[tuple[str, ...]]:
    for question, line in zip(QUESTIONS, shares, strict=True):
        for age, value in zip(AGES_OF_PANEL, line.tolist(), strict=True):
            yield f"{on}", question, age, str(sample), f"{100 * value:.1f} %", state
