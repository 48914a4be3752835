"""The world in memory: one causal process, the same however it is asked."""

import itertools
from dataclasses import fields
from datetime import date

import numpy as np
import pytest

from infra.world import reports, web
from infra.world.company import CHANNELS, DAY, Company
from infra.world.day import Day, simulate
from infra.world.population import begin, money
from infra.world.shop import steps
from infra.world.state import State
from infra.world.truth import achievable_auc
from tests.world.learning import learn, simulated

TINY = Company(7, "tiny", 200, date(2026, 3, 2))


def days(company: Company, n: int) -> list[tuple[State, Day]]:
    state, result = begin(company), []
    for _ in range(n):
        day = simulate(company, state)
        web.receive(company, state, day)
        result.append((state, day))
        state = day.after
    return result


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    once, again = days(TINY, 4)[-1], days(TINY, 4)[-1]
    other = days(Company(8, "tiny", 200, TINY.start), 4)[-1]
    assert once[1].after.pack() == again[1].after.pack()
    assert web.receive(TINY, *once) == web.receive(TINY, *again)
    assert web.receive(TINY, *once) != web.receive(TINY, *other)


def test_a_day_leaves_the_state_before_it_as_it_was() -> None:
    state = begin(TINY)
    before = state.pack()
    simulate(TINY, state)
    assert state.pack() == before


def test_a_remembered_state_is_the_same_state() -> None:
    state = days(TINY, 3)[-1][1].after
    again = State.unpack(state.pack())
    assert len(state.late_lines) > 0
    for each in fields(State):
        assert np.array_equal(getattr(state, each.name), getattr(again, each.name)), each.name


def test_every_order_costs_what_its_lines_cost() -> None:
    for _, day in days(TINY, 5):
        orders, lines = {}, {}
        for step in (s for hour in range(24) for s in steps(TINY, day, hour)):
            if (step.verb, step.table) == ("insert", "orders"):
                orders |= {row["order_id"]: row["total"] for row in step.rows}
            if step.table == "order_lines":
                for row in step.rows:
                    assert row["amount"] == money(cents(row["unit_price"]) * row["quantity"] - cents(row["discount"]))
                    lines[row["order_id"]] = lines.get(row["order_id"], 0) + cents(row["amount"])
        assert orders == {order: money(total) for order, total in lines.items()}


def cents(text: str) -> int:
    return int(text.replace(".", ""))


def test_nothing_in_an_hour_is_dated_outside_it() -> None:
    for _, day in days(TINY, 3):
        for hour in range(24):
            start = f"{TINY.date(day.day)}T{hour:02d}:"
            for step in steps(TINY, day, hour):
                assert all(row["updated_at"].startswith(start) for row in step.rows), step


def test_the_reports_add_up_to_what_was_spent() -> None:
    for _, day in days(TINY, 5):
        rows = [line.split(",") for line in reports.google(TINY, day).decode().splitlines()[1:]]
        assert sum(int(row[7]) for row in rows) == day.advertising.cents[0] * 10_000
        assert sum(f.cents for f in reports.figures(TINY, day, 1)) == day.advertising.cents[1]


def test_nobody_orders_after_leaving_or_being_deleted() -> None:
    for _, day in days(Company(3, "test", 2000, TINY.start), 20):
        people = day.after.customers
        old = day.orders.customer < day.first_newcomer
        assert (day.orders.at[old] < people["death"][day.orders.customer[old]]).all()


def test_more_advertising_brings_more_visits_but_less_and_less() -> None:
    history = [day.advertising for _, day in days(Company(7, "test", 2000, TINY.start), 60)]
    social = np.array([(a.adstock[1], a.caused[1] / a.demand) for a in history])
    social = social[np.argsort(social[:, 0])]
    gain = np.diff(social[:, 1]) / np.maximum(np.diff(social[:, 0]), 1e-9)
    assert (gain > 0).all()
    assert gain[-10:].mean() < gain[:10].mean()
    assert len(CHANNELS) == 6


def test_yesterdays_advertising_still_works_today() -> None:
    history = [day.advertising for _, day in days(Company(7, "test", 2000, TINY.start), 30)]
    for before, today in itertools.pairwise(history):
        assert today.adstock[1] == pytest.approx(today.cents[1] / 100 + 0.65 * before.adstock[1], abs=0.01)


def test_some_events_come_late_and_some_twice() -> None:
    import gzip

    import orjson

    events = [
        orjson.loads(line)
        for state, day in days(Company(7, "test", 1000, TINY.start), 6)
        for hour in web.receive(Company(7, "test", 1000, TINY.start), state, day)
        for line in gzip.decompress(hour).splitlines()
    ]
    ids = [event["event_id"] for event in events]
    assert 0.001 < 1 - len(set(ids)) / len(ids) < 0.02
    late = [e for e in events if e["event_at"][:13] != e["received_at"][:13]]
    assert 0.005 < len(late) / len(events) < 0.04
    assert all(e["received_at"] >= e["event_at"] for e in events)


def test_the_achievable_auc_is_that_of_ranking_by_the_truth() -> None:
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(1)
    p = random.beta(0.4, 0.6, 20_000).round(3)
    assert roc_auc_score(random.random(20_000) < p, p) == pytest.approx(achievable_auc(p), abs=0.005)
    assert achievable_auc(np.full(10, 0.3)) == pytest.approx(0.5)


@pytest.mark.parametrize("seed", [1, 7])
def test_a_plain_model_learns_nearly_all_that_can_be_known(seed: int) -> None:
    score = learn(simulated(4000, 91, seed), train=[28, 29, 30], test=60)
    assert score.best == pytest.approx(score.expected, abs=0.01)
    assert score.best - score.learnt < 0.02
    assert 0.9 < score.slope < 1.13


def test_a_large_company_advances_a_day_in_seconds_and_flat_memory() -> None:
    import time
    import tracemalloc

    company = Company(7, "large", 40_000, TINY.start)
    state, peaks = begin(company), []
    began = time.process_time()
    tracemalloc.start()
    for _ in range(6):
        tracemalloc.reset_peak()
        state = simulate(company, state).after
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert peaks[-1] < 1.3 * peaks[1]
    assert time.process_time() - began < 30
    assert company.second(6) - company.second(5) == DAY
