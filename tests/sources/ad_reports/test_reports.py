"""Reports pulled from APIs that misbehave equal what the platforms know; a day is landed again only where its figures changed."""

from __future__ import annotations

import gzip
import json
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.world.ad_api import ACCOUNTS, FAULTS, Book, Served
from lakehouse import storage
from lakehouse.delta.location import table_uri
from lakehouse.graph import load
from lakehouse.run import run_table
from lakehouse.settings import Settings, settings
from lakehouse.sources import ad_reports
from lakehouse.sources.ad_reports.schedule import ages, is_due, spans
from lakehouse.sources.batches import LandReport, Place
from tests.graph.package import write
from tests.proofs.lake import read

FULL = os.environ.get("LAKEHOUSE_PROVE") == "full"
DAYS = 365
FIRST = date(2026, 1, 1)
ALL_FAULTS = {"limited": 0.02, "broken": 0.05, "cut": 0.05, "partial": 0.05, "expired": 0.03, "repeated": 0.2}
APIS = {"google": "google_ads", "meta": "meta_ads"}


class Pulled:
    """One platform's API and what was landed from it."""

    def __init__(self, platform: str, book: Book, host: str, place: Place) -> None:
        self.platform, self.book, self.place = platform, book, place
        self.source = APIS[platform]
        self.address = f"http://client:s%40cret@{host}/{platform}"
        self.accounts = tuple(account.number for account in ACCOUNTS[platform])

    def pull(self, now: datetime, moves_days: int = 28, **more: Any) -> LandReport:
        self.book.now = now
        given = {"api": self.source, "accounts": self.accounts, "since": FIRST, "moves_days": moves_days} | more
        return ad_reports.land(self.source, self.address, self.place, f"{self.source}/groups", clock=lambda: now, **given)

    def newest(self) -> dict[str, list[dict[str, Any]]]:
        """The newest report of each day."""
        names: dict[str, str] = {}
        for name in self.place.names(f"{self.source}/groups/"):
            names[name.rsplit("/", 1)[1].split(".")[0]] = name
        return {day: [json.loads(line) for line in gzip.decompress(self.place.get(n)).splitlines()] for day, n in names.items()}

    def totals(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for row in (row for rows in self.newest().values() for row in rows):
            money = Decimal(row["cost_micros"]) / 10_000 if self.platform == "google" else Decimal(row["spend"]) * 100
            found["rows"] += 1
            found["impressions"] += int(row["impressions"])
            found["clicks"] += int(row["clicks"] if self.platform == "google" else row["inline_link_clicks"])
            found["cents"] += int(money)
            found["orders"] += int(float(row["conversions"] if self.platform == "google" else row["purchases"]))
        return found

    def truth(self, days: int, now: datetime) -> Counter[str]:
        found: Counter[str] = Counter()
        for account in ACCOUNTS[self.platform]:
            for n in range(days):
                for row in self.book.figures(self.platform, account, FIRST + timedelta(days=n), now):
                    found["rows"] += 1
                    for name in ("impressions", "clicks", "cents", "orders"):
                        found[name] += row[name]
        return found


@pytest.fixture
def place(stack: Settings) -> Iterator[Place]:
    root = f"_reports/{uuid.uuid4().hex[:8]}/"
    yield Place(storage.client(), "landing", root)
    storage.delete_prefix(f"s3://landing/{root}")


@pytest.mark.integration
@pytest.mark.parametrize("platform", ["google", "meta"])
def test_a_year_pulled_through_every_fault_equals_what_the_platform_knows(platform: str, place: Place) -> None:
    now = datetime(FIRST.year, FIRST.month, FIRST.day, 12, tzinfo=UTC) + timedelta(days=DAYS)
    book = Book(faults={name: share * (3 if FULL else 1) for name, share in ALL_FAULTS.items()})
    with Served(book) as host:
        pulled = Pulled(platform, book, host, place)
        report = pulled.pull(now)
    assert pulled.totals() == pulled.truth(DAYS, now)
    assert len(report.rows) == DAYS
    assert {fault for fault in FAULTS if book.asked[fault]} >= {"broken", "cut", "partial", "repeated"}
    print(f"\n{platform}: {dict(pulled.totals())}, {book.asked.total()} requests and faults: {dict(book.asked)}, {report.seconds:.1f} s")


@pytest.mark.integration
@pytest.mark.parametrize("fault", list(FAULTS))
def test_each_fault_alone_loses_nothing(fault: str, place: Place) -> None:
    now = datetime(2026, 2, 10, 12, tzinfo=UTC)
    book = Book(faults={fault: 0.3})
    with Served(book) as host:
        pulled = Pulled("meta" if fault == "limited" else "google", book, host, place)
        pulled.pull(now, since=date(2026, 1, 20))
    assert pulled.totals()["rows"] == sum(len(rows) for rows in pulled.newest().values()) > 200
    assert len(pulled.newest()) == 21


@pytest.mark.integration
def test_a_day_lands_again_only_where_its_figures_changed_and_stops_after_its_window(place: Place) -> None:
    book, start = Book(), datetime(2026, 1, 2, 12, tzinfo=UTC)
    landed: Counter[str] = Counter()
    with Served(book) as host:
        pulled = Pulled("google", book, host, place)
        for turn in range(32):
            report = pulled.pull(start + timedelta(days=turn))
            landed.update(report.rows.keys())
            assert pulled.pull(start + timedelta(days=turn)).rows == {}, "asked twice on one day, nothing is landed twice"
        as_read = {}
        for n in range(32):
            age = max(a for a in ages(28) if a <= 32 - n)
            at = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=n + age)
            shown = [r["orders"] for a in ACCOUNTS["google"] for r in book.figures("google", a, FIRST + timedelta(days=n), at)]
            as_read[(FIRST + timedelta(days=n)).isoformat()] = sum(shown)
        assert {day: sum(int(r["conversions"]) for r in rows) for day, rows in pulled.newest().items()} == as_read
        assert landed["2026-01-01"] <= len(ages(28))
        stamps = [n.split(".")[1][:8] for n in place.names("google_ads/groups/2026-01-01")]
        assert stamps == sorted(stamps) and stamps[-1] <= "20260131"
        conversions = [
            sum(json.loads(line)["conversions"] for line in gzip.decompress(place.get(name)).splitlines())
            for name in place.names("google_ads/groups/2026-01-01")
        ]
        assert conversions == sorted(conversions) and conversions[0] < conversions[-1], "how a figure grew is kept"


@pytest.mark.integration
def test_a_day_is_read_when_it_is_over_in_every_accounts_time_zone(place: Place) -> None:
    book = Book()
    with Served(book) as host:
        pulled = Pulled("google", book, host, place)
        early = pulled.pull(datetime(2026, 1, 3, 3, tzinfo=UTC))  # still January 2nd in New York
        assert set(early.rows) == {"2026-01-01"} and early.watermark == datetime(2026, 1, 2, 5, tzinfo=UTC)
        later = pulled.pull(datetime(2026, 1, 3, 6, tzinfo=UTC))
        assert "2026-01-02" in later.rows


@pytest.mark.integration
def test_what_cannot_be_repaired_by_asking_again_says_what_to_do(place: Place) -> None:
    with Served(Book()) as host:
        pulled = Pulled("google", Book(), host, place)
        with pytest.raises(ad_reports.ReportError, match=r"refuses \(403, no access to account 9\)"):
            pulled.pull(datetime(2026, 1, 5, tzinfo=UTC), accounts=("9",))
        pulled.address = f"http://{host}/google"
        with pytest.raises(ad_reports.ReportError, match=r"https://client:secret@host/path. Set LAKEHOUSE_GOOGLE_ADS_URL"):
            pulled.pull(datetime(2026, 1, 5, tzinfo=UTC))


def test_young_days_are_read_often_old_ones_seldom_and_settled_ones_never() -> None:
    day = date(2026, 1, 1)
    read_at, last = [], None
    for age in range(60):
        today = day + timedelta(days=age)
        if is_due(day, last, today, 28):
            read_at.append(age)
            last = today
    assert read_at == [1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 28, 29]
    assert not is_due(day, None, day, 28)
    assert is_due(day, date(2026, 1, 2), date(2027, 1, 1), 28), "after an outage it is read once more"
    assert spans([date(2026, 1, n) for n in (1, 2, 3, 7)], 2) == [
        (date(2026, 1, 1), date(2026, 1, 2)), (date(2026, 1, 3), date(2026, 1, 3)), (date(2026, 1, 7), date(2026, 1, 7)),
    ]  # fmt: skip


BRONZE = """
@table(
    source=JsonLines("google_ads/groups", period="day",
                     lands=AdReports("google_ads", accounts=("1110001111", "2220002222"), since="2026-01-01")),
    owner="marketing",
    columns=[
        Column("customer_id", "string", "Account."), Column("currency_code", "string", "Currency."),
        Column("campaign_id", "string", "Campaign."), Column("id", "string", "Ad group."),
        Column("report_date", "date", "Day.", received_as="date"),
        Column("impressions", "bigint", "Shown."), Column("clicks", "bigint", "Clicked."), Column("cost_micros", "bigint", "Cost."),
        Column("conversions", "decimal(12,2)", "Orders."), Column("conversions_value", "decimal(12,2)", "Their value."),
        Column("read_at", "timestamp", "When the report was read."),
    ],
)
def google_ads__groups(landed: Landed):
    "Google's report, every reading."
    return landed
"""
SILVER = """
from lakehouse.ad_platforms import platform

@table(
    key=("platform", "grain", "entity", "report_date"), owner="marketing",
    columns=[Column(n, t, n + ".") for n, t in (("platform", "string"), ("grain", "string"), ("entity", "string"), ("report_date", "date"),
             ("impressions", "bigint"), ("clicks", "bigint"), ("spend", "decimal(18,6)"), ("conversions", "decimal(18,4)"))],
)
def ad_spend(google_ads__groups: Touched["report_date"]) -> SQL:
    "The newest reading of each day."
    ranked = "dense_rank() OVER (PARTITION BY report_date ORDER BY read_at DESC) AS place"
    newest = f"(SELECT *, report_date AS date, {ranked} FROM google_ads__groups)"
    report = platform("google_ads").select("ad_group", f"(SELECT * FROM {newest} WHERE place = 1)")
    return f"SELECT platform, grain, entity, report_date, impressions, clicks, spend, conversions FROM ({report})"
"""


@pytest.mark.integration
def test_restated_days_are_computed_again_downstream_and_no_others(
    stack: Settings, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"_reports/{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv("LAKEHOUSE_LAKE", f"s3a://lake/{name}")
    monkeypatch.setenv("LAKEHOUSE_LANDING", f"s3://landing/{name}")
    settings.cache_clear()
    graph = load(write(tmp_path, {"bronze/google_ads__groups.py": BRONZE, "silver/ad_spend.py": SILVER}))
    book, now = Book(), datetime(2026, 3, 15, 12, tzinfo=UTC)
    columns = ("report_date", "entity", "clicks", "conversions")
    try:
        with Served(book) as host:
            pulled = Pulled("google", book, host, Place.here())
            pulled.pull(now)
            for each in graph.order():
                run_table(graph, each, record=False)
            before = read(table_uri(graph["ad_spend"]), columns)
            report = pulled.pull(now + timedelta(days=1))
            for each in graph.order():
                run = run_table(graph, each, record=False)
            after = read(table_uri(graph["ad_spend"]), columns)
        moved = {row[0].isoformat() for row in (after - before) + (before - after)}
        assert moved and moved <= set(report.rows) and len(report.rows) < 20
        assert sum(row[2] for row in after.elements()) == pulled.truth(74, now + timedelta(days=1))["clicks"]
        again = pulled.newest()
        size = sum(len(json.dumps(row)) for day in report.rows for row in again[day])
        print(f"\n74 days: {len(report.rows)} landed again ({size:,} bytes), {run.rows_written} of {after.total()} rows written downstream")
        assert run.rows_written < after.total() / 3
        assert [run_table(graph, n, record=False).state for n in graph.order()] == ["up to date"] * 2
    finally:
        for address in (settings().lake, settings().landing):
            storage.delete_prefix(f"{address}/")
        monkeypatch.undo()
        settings.cache_clear()
