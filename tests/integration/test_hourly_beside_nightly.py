"""The hourly run loads while the nightly run publishes: a reader of the warehouse never meets half an hour.

`make prove` runs it at full size.
"""

import gzip
import json
import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lakehouse import storage
from lakehouse.graph import Graph, load
from lakehouse.run import engine, last_cut, run_table, write_cut
from lakehouse.settings import Settings, settings
from lakehouse.warehouse import publish
from tests.warehouse.reader import Reader
from tests.warehouse.server import Server, own_warehouse

HOURS = 40 if os.environ.get("LAKEHOUSE_PROVE") == "full" else 3
ORDERS = 60
BRONZE, SILVER, GOLD = ("shop__orders", "shop__order_lines"), ("orders", "order_lines"), ("fct_orders", "fct_order_lines")
pytestmark = [pytest.mark.integration, pytest.mark.prove, pytest.mark.timeout(0 if HOURS > 3 else 900)]


class Shop:
    """Orders and their lines, moved by chance; every hour lands as one batch, in which each order equals its lines."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.chance, self.sequence, self.hours = graph, random.Random(11), 0, 0
        self.lines: dict[str, list[int]] = {}

    def hour(self) -> None:
        """Some orders come, some change, some go; all of it lands."""
        changes: dict[str, list[dict[str, Any]]] = {"orders": [], "order_lines": []}
        for number in self.chance.sample(range(ORDERS), ORDERS if not self.lines else ORDERS // 4):
            order = f"O{number}"
            before = self.lines.pop(order, [])
            if not before or self.chance.random() < 0.8:
                self.lines[order] = [self.chance.randint(1, 99) for _ in range(self.chance.randint(1, 4))]
            after = self.lines.get(order, [])
            for place in range(max(len(before), len(after))):
                line = {"line_id": f"{order}-{place}"}
                if place < len(after):
                    self._add(changes["order_lines"], "upsert", line | {"order_id": order, "amount": after[place]})
                else:
                    self._add(changes["order_lines"], "delete", line)
            self._add(changes["orders"], "upsert" if after else "delete", {"order_id": order} | ({"total": sum(after)} if after else {}))
        self.hours += 1
        for thing, rows in changes.items():
            body = "\n".join(json.dumps(row) for row in rows).encode()
            storage.put(f"{settings().landing}/shop/{thing}/{self.hours:010d}.jsonl.gz", gzip.compress(body))
        storage.put(f"{settings().landing}/shop/_batches/{self.hours:010d}.json", b"{}")

    def _add(self, to: list[dict[str, Any]], operation: str, row: dict[str, Any]) -> None:
        self.sequence += 1
        to.append({"sequence": self.sequence, "operation": operation, "at": "2026-11-20T10:00:00+00:00", "row": row})

    def run(self, *names: str, **how: Any) -> None:
        """Run tables one after another, as the tasks of a DAG do."""
        for name in names:
            run_table(self.graph, name, record=False, **how)

    def hourly(self) -> None:
        """One hourly run: what has landed, bronze, silver, and the cut at its end."""
        self.hour()
        self.run(*BRONZE, *SILVER)
        write_cut(self.graph, "hourly", f"hour {self.hours}")

    def nightly(self, run: str) -> str:
        """One nightly run: gold at the hourly cut it chose, its own cut, the publication; returns what became of it."""
        self.run(*GOLD, cut=last_cut("hourly"))
        return publish(self.graph, write_cut(self.graph, "nightly", run).tables, run).state


@pytest.fixture
def server(stack: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A lake, a landing and a warehouse of the test's own."""
    with own_warehouse(stack) as own:
        monkeypatch.setenv("LAKEHOUSE_LANDING", f"s3://landing/_{own.database}")
        settings.cache_clear()
        yield own
        storage.delete_prefix(f"s3://landing/_{own.database}/")


@pytest.fixture
def shop(server: Server) -> Shop:
    """The shop after its first hour and its first night."""
    begun = Shop(load(Path("tests/warehouse/shop_jobs")))
    begun.hourly()
    assert begun.nightly("first") == "published"
    return begun


def test_a_reader_never_sees_half_an_hour_while_the_next_one_is_loaded(shop: Shop, server: Server) -> None:
    nights = 0
    single, several = Reader(server.url("analyst")), Reader(server.url("analyst"), in_a_transaction=True)
    with single as reader, several as patient, ThreadPoolExecutor(1) as hourly:
        for _ in range(HOURS):
            hour = hourly.submit(shop.hourly)
            while True:
                ended = hour.done()
                nights += shop.nightly(f"night {nights}") == "published"
                if ended:
                    break
            hour.result()
    print(
        f"\n{HOURS} hours loaded beside {nights} publications: {reader.polls + patient.polls} polls, "
        f"{len(reader.mixtures) + len(patient.mixtures)} mixtures, {len(reader.moments)} different moments seen"
    )
    assert (reader.mixtures, patient.mixtures) == ([], [])
    assert nights >= HOURS
    assert reader.polls + patient.polls >= 100 * HOURS
    assert len(reader.moments) > HOURS // 2 + 1


def test_a_nightly_run_that_ignores_the_cut_is_caught(shop: Shop, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.hour()
    shop.run(*BRONZE, "orders")  # the hour's orders are in silver, its lines are not
    with Reader(server.url("analyst")) as reader:
        shop.nightly("at the cut")
        reader.look(5)
    assert not reader.mixtures
    monkeypatch.setattr(engine, "pinned_by_cuts", lambda *_: {})
    with Reader(server.url("analyst")) as reader:
        shop.nightly("at whatever is newest")
        reader.look(5)
    assert reader.mixtures
