"""Reader, source server and lake writer killed at random moments: the lake ends as the source is, value for value."""

from __future__ import annotations

import os
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lakehouse import storage
from lakehouse.delta.location import table_uri
from lakehouse.graph import load
from lakehouse.run import land, run_table
from lakehouse.settings import Settings, settings
from lakehouse.sources.capture import drop_slots
from tests.proofs.lake import _hashable, read
from tests.sources.capture.server import OwnServer
from tests.sources.capture.shop import Shop
from tests.sources.capture.worker import CAPTURED, TABLES, Worker

FULL = os.environ.get("LAKEHOUSE_PROVE") == "full"
TRANSACTIONS, SEEDS, KILLS = (1000, range(1, 6), 8) if FULL else (80, range(1, 2), 1)
pytestmark = [pytest.mark.integration, pytest.mark.prove, pytest.mark.timeout(0 if FULL else 600)]
COLUMNS = {
    "contacts": ("contact_id", "name", "note", "amount", "is_open", "seen_at", "tags", "grade"),
    "deals": ("contact_id", "number", "value", "stage"),
}


@pytest.fixture
def database(stack: Settings, server: OwnServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database, a lake and a landing of their own that know each other."""
    name = f"c{uuid.uuid4().hex[:8]}"
    with server.connect() as admin:
        admin.execute(f"CREATE DATABASE {name}")
    monkeypatch.setenv("LAKEHOUSE_CRM_URL", server.dsn(name))
    monkeypatch.setenv("LAKEHOUSE_LAKE", f"s3a://lake/_capture/{name}")
    monkeypatch.setenv("LAKEHOUSE_LANDING", f"s3://landing/_capture/{name}")
    settings.cache_clear()
    try:
        yield name
    finally:
        with server.connect(name) as connection:
            drop_slots(connection, "crm")
        with server.connect() as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for address in (settings().lake, settings().landing):
            storage.delete_prefix(f"{address}/")
        monkeypatch.undo()
        settings.cache_clear()


def rows_of(server: OwnServer, database: str, table: str) -> Counter[tuple[Any, ...]]:
    with server.connect(database) as connection:
        found = connection.execute(f"SELECT {', '.join(COLUMNS[table])} FROM {table}".encode()).fetchall()
    return Counter(_hashable(row) for row in found)


@pytest.mark.parametrize("seed", SEEDS)
def test_whoever_is_killed_the_lake_ends_as_the_source_value_for_value(seed: int, server: OwnServer, database: str, tmp_path: Path) -> None:
    chance, shop = Random(seed), Shop(server, database, seed)
    working = threading.Thread(target=shop.transactions, args=(TRANSACTIONS,))
    workers = {each: Worker(each, tmp_path) for each in ("reader", "lake")}
    shop.pause = 0.02 if FULL else 0.08
    working.start()
    plan = ["reader", "server", "lake"] * KILLS
    chance.shuffle(plan)
    for victim in plan:
        working.join(chance.uniform(0.3, 4.0))
        if victim == "server":
            server.kill()
            server.start()
        else:
            workers[victim].kill()
            workers[victim].start()
    working.join()
    for worker in workers.values():
        worker.kill()
    graph = load(CAPTURED)
    land(graph, "crm")
    for name in TABLES:
        run_table(graph, name, record=False)
    for table, columns in COLUMNS.items():
        there, here = rows_of(server, database, table), read(table_uri(graph[table]), columns, "_deleted")
        assert not there - here, (seed, table, list((there - here).items())[:3])
        assert not here - there, (seed, table, list((here - there).items())[:3])
    objects = sum(1 for _ in storage.list_objects(f"{settings().landing}/crm/"))
    print(f"\nseed {seed}: {TRANSACTIONS} transactions, {len(plan)} kills, {objects} objects, "
          f"{workers['lake'].runs} runs of tables, {sum(rows_of(server, database, t).total() for t in COLUMNS)} rows equal")  # fmt: skip
