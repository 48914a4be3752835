"""Robots, visits and channels: against a vendor's own outcome on its own events, and rule by rule."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import sqlglot

from infra.world import company
from infra.world.shop import source
from infra.world.web import AGENTS, REFERRERS
from lakehouse.graph import load
from lakehouse.graph.check import sql_of
from lakehouse.settings import REPOSITORY
from lakehouse.web_analytics import RULES, channel, counted, in_sessions, is_bot, sessions
from lakehouse.web_analytics.channels import OTHERWISE

COLUMNS = (
    "event_id", "event_type", "event_at", "received_at", "visitor_id", "session_id", "page_view_id", "campaign", "user_agent", "created_at",
    "sent_at",
)  # fmt: skip
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


def ask(query: str, **tables: pd.DataFrame) -> list[tuple[Any, ...]]:
    with duckdb.connect() as base:
        for name, frame in tables.items():
            base.register(name, frame)
        return base.execute(sqlglot.transpile(query, read="spark", write="duckdb")[0]).fetchall()


@pytest.fixture(scope="module")
def vendor(shared_data: Path) -> dict[str, pd.DataFrame]:
    folder = shared_data / "snowplow_web_events"
    events = pd.read_csv(folder / "source" / "snowplow_web_events.csv", dtype=str)
    page = events["contexts_com_snowplowanalytics_snowplow_web_page_1_0_0"].str.extract(r'"id":\s*"([^"]+)"')[0]
    named = {
        "event_type": events["event_name"], "received_at": events["collector_tstamp"], "event_at": events["derived_tstamp"],
        "visitor_id": events["domain_userid"], "session_id": events["domain_sessionid"], "page_view_id": page,
        "campaign": events["mkt_campaign"], "user_agent": events["useragent"], "created_at": events["dvce_created_tstamp"],
        "sent_at": events["dvce_sent_tstamp"],
    }  # fmt: skip
    frame = events[["event_id"]].assign(**named)
    for name in ("event_at", "received_at", "created_at", "sent_at"):
        frame[name] = pd.to_datetime(frame[name], format="ISO8601")
    expected = {name: pd.read_csv(folder / "expected" / f"snowplow_web_{name}_expected.csv", dtype=str)
                for name in ("sessions", "page_views", "users")}  # fmt: skip
    return {"events": frame, "raw": events, **expected}


def test_the_vendors_events_give_its_43_page_views_18_sessions_and_11_users(vendor: dict[str, pd.DataFrame]) -> None:
    visits = in_sessions(counted("SELECT * FROM events"), by_tracker=True)
    rows = ask(sessions(visits), events=vendor["events"])
    pages = ask(f"SELECT DISTINCT page_view_id FROM ({visits}) v WHERE event_type = 'page_view'", events=vendor["events"])
    found = (len(pages), len(rows), len({row[1] for row in rows if row[1]}))
    print(f"\n{found[0]} page views, {found[1]} sessions, {found[2]} users")
    assert found == (43, 18, 11)
    assert {page for (page,) in pages} == set(vendor["page_views"].page_view_id)
    expected = vendor["sessions"]
    assert {row[0]: row[4] for row in rows} == {s: int(n) for s, n in zip(expected.domain_sessionid, expected.page_views, strict=True)}
    started = {row[0]: row[2] for row in rows if row[5] > 1}
    there = dict(zip(expected.domain_sessionid, pd.to_datetime(expected.start_tstamp, format="ISO8601"), strict=True))
    assert all(started[s] == there[s] for s in started)
    assert {row[1] for row in rows if row[1]} == set(vendor["users"].domain_userid)


def events(*minutes_and_campaigns: tuple[float, str | None], **more: Any) -> pd.DataFrame:
    start = datetime(2026, 11, 22, 9)
    rows = []
    for number, (minute, campaign) in enumerate(minutes_and_campaigns):
        at = start + timedelta(minutes=minute)
        rows.append({
            "event_id": f"e{number}", "event_type": "page_view", "event_at": at, "received_at": at, "visitor_id": "v", "session_id": None,
            "page_view_id": f"p{number}", "campaign": campaign, "user_agent": BROWSER, "created_at": at, "sent_at": at,
        } | more)  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"campaign": "string", "session_id": "string"})


@pytest.mark.parametrize(
    ("seen", "visits"),
    [
        ([(0, None), (30, None), (60, None)], 1),
        ([(0, None), (30.1, None)], 2),
        ([(0, None), (5, "a"), (6, None), (7, "a")], 2),
        ([(0, "a"), (5, "b"), (6, "b")], 2),
        ([(0, "a"), (5, None), (6, "b"), (7, "a")], 3),
    ],
    ids=["half an hour is no pause", "more is one", "a campaign begins a visit", "another campaign too", "and back again"],
)
def test_a_visit_ends_with_a_pause_or_another_campaign(seen: list[tuple[float, str | None]], visits: int) -> None:
    frame = events(*seen)
    assert len(ask(sessions(in_sessions(counted("SELECT * FROM events"))), events=frame)) == visits


def test_repeated_late_robots_and_nameless_events_do_not_count() -> None:
    good = events((0, None), (1, None))
    repeated = good.iloc[[0]].assign(received_at=good.received_at[0] + timedelta(hours=2))
    late = events((2, None), event_id="late", sent_at=datetime(2026, 11, 26))
    robot = events((3, None), event_id="robot", user_agent="Mozilla/5.0 (compatible; bingbot/2.0)")
    nameless = events((4, None), event_id="nameless").assign(visitor_id=None)
    frame = pd.concat([good, repeated, late, robot, nameless], ignore_index=True)
    assert sorted(row[0] for row in ask(f"SELECT event_id FROM ({counted('SELECT * FROM events')}) c", events=frame)) == [
        "e0", "e1", "nameless",
    ]  # fmt: skip
    ((_, _, _, _, _, seen, _),) = ask(sessions(in_sessions(counted("SELECT * FROM events"))), events=frame)
    assert seen == 2, "who has no name belongs to no visit"


def test_a_visit_that_never_ends_is_cut_after_three_days() -> None:
    frame = events(*[(n * 20, None) for n in range(300)])
    ((_, _, started, ended, *_),) = ask(sessions(in_sessions(counted("SELECT * FROM events"))), events=frame)
    assert ended - started <= timedelta(days=3)


@pytest.mark.parametrize(
    ("agent", "robot"),
    [
        (BROWSER, False), ("", False), (None, False), ("Googlebot/2.1 (+http://www.google.com/bot.html)", True), ("curl/8.5.0", True),
        ("Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36", False),
        ("facebookexternalhit/1.1", True), ("Mozilla/5.0 HeadlessChrome/120.0", True),
    ],
)  # fmt: skip
def test_robots_are_known_by_what_they_call_themselves(agent: str | None, robot: bool) -> None:
    assert ask(f"SELECT {is_bot('a')} FROM t", t=pd.DataFrame({"a": [agent]}, dtype="string")) == [(robot,)]


VISITS = [
    (("google", "cpc", None, None), "paid_search"), (("google", "organic", None, None), "organic"),
    (("bing", "ppc", None, None), "paid_search"),
    (("Facebook", "paid_social", None, None), "paid_social"), (("meta", "cpc", None, None), "paid_social"),
    (("amazon", "cpc", None, None), "paid_shopping"), (("google-ad", "ppc", None, None), "paid_other"),
    (("youtube", "cpc", None, None), "paid_video"), (("news", "banner", None, None), "display"), (("google", "cpm", None, None), "display"),
    (("partner", "cpc", None, None), "paid_other"), (("newsletter", "email", None, None), "email"),
    (("x", "affiliate", None, None), "affiliate"),
    (("sms", None, None, None), "sms"), (("app", "push", None, None), "push"), (("instagram", "social", None, None), "organic_social"),
    ((None, None, "https://t.co/x", None), "organic_social"), ((None, None, "https://www.google.de/", None), "organic"),
    ((None, None, "https://blog.example/post", None), "referral"), ((None, None, "https://www.youtube.com/watch", None), "organic_video"),
    ((None, None, "https://shop.example/cart", None), "direct"), ((None, None, None, None), "direct"),
    ((None, None, "https://www.google.com/", "https://shop.example/?gclid=abc"), "paid_search"),
    ((None, None, None, "https://shop.example/?a=1&ttclid=abc"), "paid_social"),
    ((None, None, None, "https://shop.example/?fbclid=a"), "direct"),
    (("podcast", "audio", None, None), "audio"), (("something", "odd", None, None), "unassigned"),
    ((None, None, None, "https://shop.example/?dclid=1"), "display"), ((None, "link", None, None), "referral"),
]  # fmt: skip


@pytest.mark.parametrize(("visit", "wanted"), VISITS)
def test_a_visit_is_classified_by_the_first_rule_that_holds(visit: tuple[Any, ...], wanted: str) -> None:
    frame = pd.DataFrame([visit], columns=["source", "medium", "referrer", "url"], dtype="string")
    rule = channel(source="source", medium="medium", referrer="referrer", url="url", own_host="shop.example")
    assert ask(f"SELECT {rule} FROM t", t=frame) == [(wanted,)]


def test_every_channel_of_the_rules_is_shown_by_an_example() -> None:
    assert {rule.channel for rule in RULES} | {"unassigned"} == {wanted for _, wanted in VISITS}


def test_channels_agree_with_the_vendors_where_it_has_decided(vendor: dict[str, pd.DataFrame]) -> None:
    pages = vendor["page_views"]
    rule = channel(source="mkt_source", medium="mkt_medium", referrer="page_referrer", url="page_url")
    found = ask(f"SELECT default_channel_group, {rule} FROM p WHERE default_channel_group <> 'Unassigned'", p=pages)
    assert {(theirs.lower().replace(" ", "_"), ours) for theirs, ours in found} == {("display", "display"), ("paid_other", "paid_other")}


def test_the_tables_of_the_shop_name_the_channel_that_the_world_knows_brought_the_visit_and_none_of_its_browsers_is_a_robot() -> None:
    visits = []
    for place, name in enumerate(company.CHANNELS):
        groups = [n for n, group in enumerate(company.AD_GROUPS) if group.channel == place] or [-1]
        tags = [source(place, group) for group in groups] if place <= company.EMAIL else [dict.fromkeys(source(company.EMAIL, -1))]
        visits += [tag | {"referrer": site, "truth": name} for tag in tags for site in REFERRERS.get(place, (None,))]
    made = str(sql_of(load(REPOSITORY / "jobs")["web_events"]))
    brought = sqlglot.parse_one(made, dialect="spark").find(sqlglot.exp.Select)
    assert brought is not None
    said = next(e.this.sql("spark") for e in brought.expressions if e.alias == "channel")
    frame = pd.DataFrame(visits).assign(url="https://shop.example/", user_agent=AGENTS[0])
    found = ask(f"SELECT truth, {said} FROM visits", visits=frame)
    assert len(found) > 12 and all(truth == told for truth, told in found), found
    agents = pd.DataFrame({"user_agent": AGENTS})
    assert ask(f"SELECT DISTINCT {is_bot('user_agent')} FROM agents", agents=agents) == [(False,)]


def test_the_dimension_of_channels_holds_every_channel_the_rules_can_give_and_posters() -> None:
    listed = {row[0] for row in ask(str(sql_of(load(REPOSITORY / "jobs")["dim_channel"])))}
    assert {rule.channel for rule in RULES} | {OTHERWISE, "outdoor"} == listed
