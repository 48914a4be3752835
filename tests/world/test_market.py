"""The company's other systems: hidden truth drives what they say, and the same seed says the same."""

import csv
import gzip
import io
import subprocess
import sys
from dataclasses import fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from infra.world.ad_api import Book
from infra.world.company import Company
from infra.world.day import Day, simulate
from infra.world.faults import FAULTS, active, spoiled, switch
from infra.world.market import crm, mailing, minds, stores, voices
from infra.world.market.objects import objects
from infra.world.population import begin, customer_id
from infra.world.state import State
from infra.world.truth import ask, write_day, write_people
from lakehouse.settings import REPOSITORY
from tests.bench.world import generated

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


def day_of(n: int) -> tuple[State, Day]:
    return lived()[0][n]


def lines(prefix: str) -> list[dict[str, Any]]:
    """The rows of all JSON lines below a prefix."""
    files = (gzip.decompress(body) for key, body in sorted(lived()[1].items()) if key.startswith(prefix))
    return [orjson.loads(line) for body in files for line in body.splitlines()]


def table(prefix: str, **form: str) -> list[dict[str, str]]:
    """The rows of all CSV files below a prefix."""
    encoding = form.pop("encoding", "utf-8-sig")
    files = (body.decode(encoding) for key, body in sorted(lived()[1].items()) if key.startswith(prefix))
    return [row for text in files for row in csv.DictReader(io.StringIO(text), **form)]


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


def test_the_other_systems_change_nothing_of_the_shop_and_the_same_seed_says_the_same() -> None:
    state = begin(SMALL)
    for before, day in lived()[0][:9]:
        alone = simulate(SMALL, state)
        for each in {f.name for f in fields(State)} - {"voices", "panel"}:
            assert np.array_equal(getattr(alone.after, each), getattr(day.after, each)), each
        again = dict(objects(SMALL, before, day))
        assert again == {key: lived()[1][key] for key in again}
        state = alone.after


def test_nobody_held_out_gets_an_offer_and_nobody_without_consent_a_mail() -> None:
    events = lines("email/events")
    for before, day in lived()[0]:
        on = str(SMALL.date(day.day))
        offered = {e["subscriber"] for e in events if e["mailing_id"] == f"offer-{on}"}
        held = {customer_id(i) for i in np.flatnonzero(minds.held_out(SMALL, np.arange(len(before.customers)))).tolist()}
        agreed = {customer_id(i) for i in np.flatnonzero(before.customers["consent"][:, 0]).tolist()}
        sent = {e["subscriber"] for e in events if e["event"] == "sent" and e["mailing_id"].endswith(on)}
        assert not offered & held
        assert sent <= agreed
        assert bool(offered) == (SMALL.date(day.day).weekday() == mailing.SENT_ON)


def test_the_second_offer_is_clicked_half_again_as_often() -> None:
    human = [e for e in lines("email/events") if e["campaign"] == "offer" and (e["user_agent"] or "Mozilla").startswith("Mozilla")]
    opened, clicked = ({v: sum(e["event"] == kind and e["variant"] == v for e in human) for v in "AB"} for kind in ("opened", "clicked"))
    assert min(opened.values()) > 300
    assert 1.1 < (clicked["B"] / opened["B"]) / (clicked["A"] / opened["A"]) < 2.1


def test_posters_and_offers_bring_the_purchases_that_the_truth_says() -> None:
    before, day = day_of(stores.HALF)
    here = stores.opened(SMALL, before, day)
    assert here.treated.sum() == stores.TREATED
    assert here.expected[here.treated] == pytest.approx(here.without[here.treated] * (1 + stores.POSTERS))
    assert here.expected[~here.treated] == pytest.approx(here.without[~here.treated])
    lift = mailing.offer_lift(SMALL, day_of(3)[0])
    assert set(np.unique(lift)) == {0.0, *mailing.OFFERS.values()}
    assert not lift[minds.held_out(SMALL, np.arange(len(lift)))].any()
    seen = sum(len(table_of_sales(n)) for n in range(29))
    expected = sum(float(stores.opened(SMALL, *each).expected.sum()) for each in lived()[0])
    assert seen == pytest.approx(expected, rel=0.15)


def test_who_is_held_out_and_where_posters_hang_is_landed_as_it_was_drawn() -> None:
    lots, (before, day) = lines("campaigns/assignments/universal-holdout"), day_of(28)
    assert [row["customer_id"] for row in lots] == [customer_id(i) for i in range(len(day.after.customers))]
    assert [row["arm"] == "held out" for row in lots] == minds.held_out(SMALL, np.arange(len(lots))).tolist()
    plan = lines("campaigns/markets")
    assert [row["arm"] == "treated" for row in plan] == stores.treated(SMALL, before.day).tolist()
    assert {(row["starts_on"], row["ends_on"]) for row in plan} == {(str(SMALL.date(28)), str(SMALL.date(55)))}


def table_of_sales(n: int) -> set[str]:
    rows = table(f"stores/sales/{SMALL.date(n)}", encoding="cp1252", delimiter=";")
    return {row["Beleg"] for row in rows if row["Kundenkarte"]}


def test_texts_tell_their_sentiment_and_labels_are_wrong_now_and_then() -> None:
    truth = [voices.truth(SMALL, *each) for each in lived()[0]]
    felt = {i: s for day in truth for i, s in zip(day["id"], day["sentiment"], strict=True)}
    cause = {i: c for day in truth for i, c in zip(day["id"], day["cause"], strict=True)}
    reviews = [m for m in lines("social/mentions") if m["kind"] == "review"]
    assert len(reviews) > 60
    assert all(any(word in m["text"] for word in voices.MOODS[felt[m["mention_id"]]]) for m in reviews if m["text"].isascii())
    agrees = np.mean([np.sign(m["stars"] - 3) == felt[m["mention_id"]] for m in reviews])
    assert 0.85 < agrees < 1
    topics = [(m["topic"], cause[m["conversation_id"]]) for m in lines("service/messages") if m["topic"]]
    assert 0.02 < np.mean([ticked != true for ticked, true in topics]) < 0.18


def test_the_crm_holds_some_people_twice_under_numbers_that_do_not_tell() -> None:
    state = day_of(28)[1].after
    known = crm.identities(SMALL, state)
    rows = table("crm/contacts", delimiter=";")
    persons = dict(zip(known["contact_id"], known["customer_id"], strict=True))
    held = {row["Contact No"] for row in rows}
    assert held <= set(persons)
    assert 0.04 < 1 - len({persons[c] for c in held}) / len(held) < 0.10
    assert len(set(known["contact_id"])) == len(known["contact_id"])
    assert {row["Shop customer"] for row in rows if persons[row["Contact No"]] == row["Shop customer"]} <= set(persons.values())


def test_the_server_reports_orders_that_the_browser_reports_too() -> None:
    sent = table("conversions/sent")
    server = [row["order_id"] for row in sent if row["channel"] == "web server"]
    taken = {f"O{n:09d}" for _, day in lived()[0] for n in day.orders.number[~day.orders.by_phone].tolist()}
    assert set(server) <= taken
    assert 0.01 < 1 - len(set(server)) / len(server) < 0.06


def test_the_panels_first_figures_are_restated_a_week_later() -> None:
    rows = table("panel/brand_tracker")
    first = {(r["wave"], r["question"], r["age"]): r["share"] for r in rows if r["state"] == "preliminary"}
    final = {(r["wave"], r["question"], r["age"]): r["share"] for r in rows if r["state"] == "final"}
    assert len(final) == len(first) - 16
    assert np.mean([first[key] != share for key, share in final.items()]) > 0.8


def test_more_days_take_no_more_memory() -> None:
    one, three = generated(1, 10_000), generated(3, 10_000)
    print(f"10,000 customers: peak of 1 day {one['peak']:.0f} MB, of 3 days {three['peak']:.0f} MB, {three['seconds']:.1f} CPU-s")
    assert three["peak"] < 1.2 * one["peak"]


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.prefix and not fault.prefix.startswith(("web", "ads"))])
def test_a_fault_spoils_what_it_says_and_only_while_it_is_on(name: str) -> None:
    key, body = next((k, b) for k, b in lived()[1].items() if k.startswith(FAULTS[name].prefix))
    assert list(spoiled([], key, body)) == [(key, body)]
    assert list(spoiled([name], key, body)) != [(key, body)]
    assert list(spoiled([name], "another/2026-03-02.csv", b"x")) == [("another/2026-03-02.csv", b"x")]


def test_faults_are_switched_by_name_and_each_is_documented(tmp_path: Path) -> None:
    assert switch(tmp_path, "clock_skew", on=True) == active(tmp_path) == {"clock_skew"}
    assert switch(tmp_path, "clock_skew", on=False) == active(tmp_path) == set()
    page = (REPOSITORY / "docs" / "world.md").read_text(encoding="utf-8")
    assert [name for name in FAULTS if f"`{name}`" not in page] == []
    listed = subprocess.run(
        [sys.executable, "-m", "infra.world", "fault", "no_such"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert listed.returncode == 1
    assert "'no_such' is no fault; valid: duplicate_key" in listed.stderr


def test_a_fault_of_the_ad_api_is_met_while_its_switch_is_on(tmp_path: Path) -> None:
    book = Book(switches=tmp_path)
    assert not any(book.strikes("limited") for _ in range(50))
    switch(tmp_path, "api_limited", on=True)
    assert 2 < sum(book.strikes("limited") for _ in range(100)) < 50
    assert not any(book.strikes("broken") for _ in range(50))


def test_the_truth_is_asked_in_sql(tmp_path: Path) -> None:
    before, day = day_of(3)
    write_day(tmp_path, SMALL, before, day)
    write_people(tmp_path, SMALL, day.after)
    assert "identities" in ask(tmp_path, None)
    wrong = "SELECT count(*) AS n FROM offers JOIN people USING (customer_id) WHERE (arm = 'held out') <> is_held_out HAVING n > 0"
    assert "0 rows" in ask(tmp_path, wrong)
