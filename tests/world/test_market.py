"""The company's other systems: hidden truth drives what they say, and the same seed says the same."""

import csv
import io
from datetime import date
from functools import cache

import numpy as np

from infra.world.company import Company
from infra.world.day import Day, simulate
from infra.world.market import minds
from infra.world.market.objects import objects
from infra.world.population import begin
from infra.world.state import State

SMALL = Company(7, "small", 2_000, date(2026, 3, 2))


@cache
def lived(days: int = 29) -> tuple[list[tuple[State, Day]], dict[str, bytes]]:
    """The days of a small company and all it landed."""
    state, history, landed = begin(SMALL), [], {}
    for _ in range(days):
        day = simulate(SMALL, state)
        landed |= dict(objects(SMALL, state, day))
        history.append((state, day))
        state = day.after
    return history, landed


def table(prefix: str, **form: str) -> list[dict[str, str]]:
    """The rows of all CSV files below a prefix."""
    files = (body for key, body in sorted(lived()[1].items()) if key.startswith(prefix))
    return [row for body in files for row in csv.DictReader(io.StringIO(body.decode(form.pop("encoding", "utf-8-sig"))), **form)]


def test_answers_follow_the_hidden_type_of_who_answers() -> None:
    people = lived()[0][-1][1].after.customers
    rows = table("surveys/answers")
    who = np.array([int(row["Customer"][1:]) - 1 for row in rows])
    kind = minds.types(SMALL, who, people[who])
    given = np.array([[float(row[n][:1] or "nan") for n in minds.NEEDS] for row in rows])
    assert len(rows) > 120
    for each in range(len(minds.TYPES)):
        own, others = given[kind == each][:, 3 * each : 3 * each + 3], given[kind != each][:, 3 * each : 3 * each + 3]
        assert np.nanmean(own) > max(3.5, np.nanmean(others) + 0.7)


def test_behaviour_says_something_of_the_type_but_not_all() -> None:
    people = lived()[0][-1][1].after.customers
    kind = minds.types(SMALL, np.arange(len(people)), people)
    spent = [float(np.log(people["spending"][kind == k]).mean()) for k in range(4)]
    assert spent[0] > spent[3] > spent[1]
    assert np.bincount(kind).min() > 0.1 * len(people)
