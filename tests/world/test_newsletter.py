"""The newsletter's lot: who is held out is drawn, told once, and never moved by a newsletter."""

from datetime import date

import numpy as np
import orjson

from infra.world.company import EMAIL, Company
from infra.world.day import simulate
from infra.world.newsletter import MAILED, OF, assignments, mailed
from infra.world.population import begin, customer_id

SHOP = Company(7, "test", 1500, date(2026, 3, 2))


def test_three_of_four_are_mailed_whatever_they_are_like() -> None:
    people = begin(Company(7, "test", 8000, date(2026, 3, 2))).customers
    arm = mailed(np.arange(len(people)))
    assert abs(arm.mean() - MAILED / OF) < 0.02
    assert abs(people["consent"][arm, 0].mean() - people["consent"][~arm, 0].mean()) < 0.04
    assert abs(people["regular"][arm].mean() - people["regular"][~arm].mean()) < 0.04


def test_everybody_is_told_once_and_the_held_out_are_never_moved_by_a_newsletter() -> None:
    state, told = begin(SHOP), []
    moved = np.zeros(2)
    for _ in range(12):
        day = simulate(SHOP, state)
        for key, body in assignments(SHOP, day):
            assert key == f"campaigns/assignments/{SHOP.date(day.day)}.jsonl"
            told += [orjson.loads(line) for line in body.splitlines()]
        state = day.after
        by_mail = day.orders.customer[(day.orders.cause == EMAIL) & (day.orders.customer < day.first_newcomer)]
        moved += np.bincount(mailed(by_mail).astype(int), minlength=2)
    assert [row["customer_id"] for row in told] == [customer_id(i) for i in range(len(state.customers))]
    assert [row["arm"] == "mailed" for row in told] == mailed(np.arange(len(state.customers))).tolist()
    assert {row["chance"] for row in told} == {0.75}
    assert moved[0] == 0 < moved[1]
