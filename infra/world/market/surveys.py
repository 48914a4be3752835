"""The customer survey: needs, recommendation and what customers say brought them, as the survey tool exports it each Monday."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from infra.world.company import DAY, Company
from infra.world.market.minds import AGES_OF_PANEL, NEEDS, needs, share, types
from infra.world.population import customer_id
from infra.world.randomness import pick, stream
from infra.world.state import State

EVERY_WEEKS, ANSWERING = 8, 0.45
"""A customer who agreed to e-mail is asked once in so many weeks, and answers with this probability."""
NOISE, SKIPPED, CARELESS, REVERSED, TWICE = 0.75, 0.03, 0.04, 0.02, 0.02
"""Spread of one answer; shares of questions left out, of people who tick one column, who reverse the scale, who send it twice."""
HEARD = ("search engine", "social media", "e-mail", "a friend", "press or blog", "walked past a shop")
HEARD_BY_CAUSE = (0, 1, 2, 0, 3, 4)
LIKERT = ("1 - not at all", "2", "3", "4", "5 - very much")
COMMENTS = (
    ("Coffee was great, more single origins please!", "The grinder advice was spot on."),
    ("Too expensive lately.", "Would order more with free shipping."),
    ("Fast as always.", "Please let me save my usual basket."),
    ("Too much plastic in the parcel.", "Good that you pay farmers fairly."),
)
HEADER = ("Response ID", "Survey", "Customer", "Submitted", "Age", "How did you hear of us?", *NEEDS, "Recommend (0-10)", "Comment")


def answers(company: Company, before: State) -> Iterator[tuple[str, bytes]]:
    """On Mondays, give the questionnaires answered in the seven days before, as one CSV file."""
    today = company.date(before.day)
    if today.weekday() != 0 or before.day == 0:
        return
    week = today.toordinal() // 7
    begins, ends = company.second(max(0, before.day - 7)), company.second(before.day)
    people = before.customers
    asked = (pick(company.seed, "survey turn", np.arange(len(people)), EVERY_WEEKS) == week % EVERY_WEEKS) & people["consent"][:, 0]
    who = np.flatnonzero(asked & ~people["deleted"] & (people["death"] > ends) & (people["created"] < begins))
    who = who[share(company.seed, f"survey {week}", who) < ANSWERING]
    random, n = stream(company.seed, "survey", before.day), len(who)
    kind = types(company, who, people[who])
    felt = needs(company, who, kind) + NOISE * random.normal(size=(n, len(NEEDS)))
    ticked = np.clip(np.rint(felt), 1, 5).astype(int)
    ticked = np.where(random.random((n, 1)) < REVERSED, 6 - ticked, ticked)
    ticked = np.where(random.random((n, 1)) < CARELESS, random.integers(2, 5, (n, 1)), ticked)
    ticked = np.where(random.random((n, len(NEEDS))) < SKIPPED, 0, ticked)
    cause = people["cause"][who]
    guessed = (cause < 0) | (random.random(n) < 0.25)
    heard = np.where(guessed, random.integers(0, len(HEARD), n), np.take(HEARD_BY_CAUSE, np.maximum(cause, 0)))
    liking = np.clip(np.rint(7.2 + 0.8 * people["regular"][who] - 0.9 * (kind == 1) + 1.7 * random.normal(size=n)), 0, 10).astype(int)
    at = random.integers(begins + 7 * 3600, max(ends, begins + DAY), n)
    said, age = random.integers(0, 10, n), pick(company.seed, "age", who, len(AGES_OF_PANEL))
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(HEADER)
    for i in range(n):
        row = [
            f"R{week}-{int(who[i]) + 1:07d}", f"needs-{today:%G-W%V}", customer_id(int(who[i])), _stamp(int(at[i])), AGES_OF_PANEL[age[i]],
            HEARD[heard[i]], *(LIKERT[t - 1] if t else "" for t in ticked[i].tolist()), int(liking[i]),
            COMMENTS[kind[i]][said[i]] if said[i] < 2 else "",
        ]  # fmt: skip
        writer.writerow(row)
        if random.random() < TWICE:
            writer.writerow([*row[:3], _stamp(int(at[i]) + 40), *row[4:-1], ""])
    yield f"surveys/answers/{today}.csv", target.getvalue().encode("utf-8-sig")


def _stamp(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M:%S}"
