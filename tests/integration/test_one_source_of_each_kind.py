"""A source of each kind is one new file: nothing else is touched, and its rows arrive in Postgres, value for value."""

# ruff: noqa: E501 — declarations as they would be written

from __future__ import annotations

import gzip
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from infra.world.ad_api import Book, Served
from lakehouse import storage
from lakehouse.graph import Graph, load
from lakehouse.run import land, run_table
from lakehouse.run.cut import versions_now
from lakehouse.settings import Settings, settings
from lakehouse.sources.batches import Place
from lakehouse.sources.capture import drop_slots
from lakehouse.sources.collector.app import Collector, application
from lakehouse.sources.collector.events import Events
from lakehouse.sources.collector.journal import Journal
from lakehouse.warehouse import publish
from tests.graph.package import write
from tests.warehouse.server import own_warehouse
from tests.warehouse.showing import rows

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]
SINCE = (datetime.now(UTC) - timedelta(days=3)).date()


def source(name: str, given: str, columns: str, reads: str = "landed: Landed") -> str:
    listed = ", ".join('Column("{}", "{}", "{}.")'.format(*(*each.split(":"), each)) for each in columns.split())
    parameter = reads.split(":")[0]
    return f'@table({given}, owner="tests", columns=[{listed}])\ndef {name}({reads}):\n    "As received."\n    return {parameter}\n'


SOURCES = {
    "file": source("crm__deals", 'source=Csv("crm/deals", delimiter=";")', "deal_id:string amount:decimal(12,2)"),
    "API": source(
        "google_ads__groups", f'source=JsonLines("google_ads/groups", period="day", lands=AdReports("google_ads", accounts=("1110001111",), since="{SINCE}"))',
        "id:string date:date clicks:bigint read_at:timestamp",
    ),
    "change capture": source("loyalty__accounts", 'source=ChangeRows("loyalty/accounts", lands=ChangeCapture("loyalty"))', "account_id:string points:int"),
    "cursor query": source("erp__stock", 'source=ChangeRows("erp/stock", lands=CursorQuery("erp"))', "sku:string pieces:int"),
    "collector": source("app__events", 'source=JsonLines("app/events", period="hour")', "event_id:string event_at:timestamp received_at:timestamp value:decimal(12,2)"),
    "virtual table": source("shop__prices", 'live=LiveQuery("shop", "SELECT sku, price FROM prices WHERE price > 0")', "sku:string price:decimal(12,2)", "live: Live"),
    "pictures": source("shelf__photos", 'source=Files("shelf/photos", types=("image/*",))', "object:string media_type:string bytes:bigint sha256:string"),
    "web server's log": source("web__requests", 'source=AccessLog("web/requests")', "host:string at:timestamp path:string status:int bytes:bigint"),
}  # fmt: skip
GOLD = '''
@table(key=("source", "item"), owner="tests", refresh="nightly",
       columns=[Column("source", "string", "Kind."), Column("item", "string", "Which."), Column("figure", "string", "What.")])
def fct_arrivals(crm__deals: Snapshot, google_ads__groups: Snapshot, loyalty__accounts: Snapshot, erp__stock: Snapshot,
                 app__events: Snapshot, shop__prices: Snapshot, shelf__photos: Snapshot, web__requests: Snapshot) -> SQL:
    "Everything that came, from all sources."
    return SQL("""
        SELECT 'file' AS source, deal_id AS item, CAST(amount AS string) AS figure FROM crm__deals
        UNION ALL SELECT 'API', concat(id, ' ', date), CAST(max_by(clicks, read_at) AS string) FROM google_ads__groups GROUP BY id, date
        UNION ALL SELECT 'change capture', account_id, CAST(max_by(points, _sequence) AS string) FROM loyalty__accounts
                  GROUP BY account_id HAVING max_by(_op, _sequence) <> 'delete'
        UNION ALL SELECT 'cursor query', sku, CAST(max_by(pieces, _sequence) AS string) FROM erp__stock GROUP BY sku
        UNION ALL SELECT 'collector', event_id, CAST(value AS string) FROM app__events
        UNION ALL SELECT 'virtual table', sku, CAST(price AS string) FROM shop__prices
        UNION ALL SELECT 'pictures', object, concat(media_type, ' ', bytes) FROM shelf__photos
        UNION ALL SELECT 'log', concat(host, ' ', path), concat(status, ' ', at) FROM web__requests
    """)
'''
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\0\0\0\0\0\0\0\0\0\0\0\0IEND\xaeB`\x82"
LOG = b'::1 - - [10/Oct/2000:13:55:36 -0700] "GET /a?b HTTP/1.0" 200 2326 "-" "Mozilla"\nno line of a log\n'
DATABASE = """
CREATE TABLE accounts (account_id text PRIMARY KEY, points int); INSERT INTO accounts VALUES ('a', 1), ('b', 2), ('c', 3);
CREATE PUBLICATION lakehouse FOR TABLE accounts;
CREATE TABLE stock (sku text PRIMARY KEY, pieces int, updated_at timestamptz DEFAULT now()); INSERT INTO stock VALUES ('s1', 10), ('s2', 20);
CREATE TABLE prices (sku text, price numeric(12,2)); INSERT INTO prices VALUES ('s1', 1.50), ('s2', 2.50), ('s3', 0);
"""


@pytest.fixture
def address(stack: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """One database for all sources that are databases, one warehouse, one lake, one landing."""
    with own_warehouse(stack) as server:
        monkeypatch.setenv("LAKEHOUSE_LANDING", f"s3://landing/_tests/{server.database}")
        for name in ("LOYALTY", "ERP", "SHOP"):
            monkeypatch.setenv(f"LAKEHOUSE_{name}_URL", server.url("postgres"))
        settings.cache_clear()
        with server.admin() as database:
            database.execute(DATABASE.encode())
            try:
                yield server.url("postgres")
            finally:
                drop_slots(database, "loyalty")
                storage.delete_prefix(f"{settings().landing}/")
                monkeypatch.undo()


def collected(graph: Graph, folder: Path, events: list[dict[str, Any]]) -> None:
    """Events sent over HTTP to a collector of the table, and landed."""
    import uvicorn

    table, journal = graph["app__events"], Journal(folder)
    server = uvicorn.Server(uvicorn.Config(application(Collector(Events(table), journal, Place.here(), "app/events")), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    assert httpx.post(f"http://127.0.0.1:{port}/v1/events", json={"events": events}).status_code == 202
    server.should_exit = True
    thread.join()
    journal.seal()
    assert journal.land(Place.here(), "app/events")


def test_a_source_of_each_kind_is_one_new_file_and_arrives_in_postgres(
    address: str, stack: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: set[str] = set()
    for text in SOURCES.values():
        name = text.split("def ")[1].split("(")[0]
        jobs = write(tmp_path, {f"bronze/{name}.py": text})
        assert set(load(jobs).tables) - known == {name}
        known.add(name)
    graph = load(write(tmp_path, {"gold/fct_arrivals.py": GOLD}))
    landed: Callable[[str, bytes], Any] = lambda name, body: storage.put(f"{settings().landing}/{name}", body)  # noqa: E731
    landed("crm/deals/2026.csv.gz", gzip.compress(b"deal_id;amount\nd1;10.00\nd2;20.5\nd3;much\n"))
    landed("shelf/photos/front.png", PNG)
    landed("shelf/photos/cut.png", PNG[:40])
    landed("web/requests/access.log", LOG)
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    collected(graph, tmp_path / "journal", [{"event_id": f"e{n}", "event_at": at, "value": n / 2} for n in range(3)])
    book = Book(now=datetime.now(UTC))
    with Served(book) as host:
        monkeypatch.setenv("LAKEHOUSE_GOOGLE_ADS_URL", f"http://client:secret@{host}/google")
        for name in graph.landers():
            land(graph, name)
    with psycopg.connect(address, autocommit=True) as database:  # what is changed after the first reading
        database.execute("UPDATE accounts SET points = 9 WHERE account_id = 'a'")
        database.execute("DELETE FROM accounts WHERE account_id = 'b'")
    land(graph, "loyalty")
    reports = {name: run_table(graph, name, record=False) for name in graph.order()}
    publish(graph, versions_now([graph["fct_arrivals"]]), "run")
    from tests.warehouse.server import Server

    warehouse = Server(stack, address.rsplit("/", 1)[1])
    there = {(s, i): f for s, i, f in rows(warehouse, "SELECT source, item, figure FROM marts.fct_arrivals")}
    api = {item: figure for (kind, item), figure in there.items() if kind == "API"}
    assert {k: v for k, v in there.items() if k[0] != "API"} == {
        ("file", "d1"): "10.00", ("file", "d2"): "20.50",
        ("change capture", "a"): "9", ("change capture", "c"): "3",
        ("cursor query", "s1"): "10", ("cursor query", "s2"): "20",
        ("collector", "e0"): "0.00", ("collector", "e1"): "0.50", ("collector", "e2"): "1.00",
        ("virtual table", "s1"): "1.50", ("virtual table", "s2"): "2.50",
        ("pictures", "shelf/photos/front.png"): f"image/png {len(PNG)}",
        ("log", "::1 /a"): "200 2000-10-10 20:55:36",
    }  # fmt: skip
    with gzip.open(io.BytesIO(_newest("google_ads/groups/"))) as report:
        day = [json.loads(line) for line in report]
    assert day and all(api[f"{row['id']} {row['date']}"] == str(row["clicks"]) for row in day)
    held = {name: report.rows_quarantined for name, report in reports.items() if report.rows_quarantined}
    assert held == {"crm__deals": 1, "shelf__photos": 1, "web__requests": 1}


def _newest(prefix: str) -> bytes:
    names = sorted(each.uri for each in storage.list_objects(f"{settings().landing}/{prefix}"))
    return storage.get(names[-1]) or b""
