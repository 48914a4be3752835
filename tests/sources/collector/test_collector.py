"""Events over HTTP: what is acknowledged is on disk and lands; what is not taken is answered with the reason."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from lakehouse import storage
from lakehouse.declare import Column, JsonLines, Landed, table
from lakehouse.delta.location import table_uri
from lakehouse.graph import load
from lakehouse.run import run_table
from lakehouse.settings import REPOSITORY, Settings, settings
from lakehouse.sources.collector.app import Collector, application
from lakehouse.sources.collector.events import BatchRefused, Events
from lakehouse.sources.collector.journal import Journal
from tests.proofs.lake import read

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@table(
    source=JsonLines("web/events", period="hour"),
    owner="marketing",
    columns=[
        Column("event_id", "string", "Number."),
        Column("event_at", "timestamp", "When."),
        Column("received_at", "timestamp", "When received."),
        Column("is_new", "boolean", "Whether."),
        Column("value", "decimal(12,2)", "Money."),
        Column("count", "int", "Count."),
    ],
)
def web__events(landed: Landed):
    """Events."""
    return landed


def batch(*events: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"events": list(events)} | more).encode()


def event(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"event_id": f"e{number}", "event_at": (NOW - timedelta(minutes=1)).isoformat()} | more


def taken(body: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    checked = Events(web__events).batch(body, NOW)
    return [json.loads(line) for line in checked.lines], [each["reason"] for each in checked.refused]


def test_a_good_event_is_kept_as_sent_with_the_time_of_its_reception() -> None:
    body = b'{"events": [{"event_id": "a", "event_at": "2026-11-22T12:30:00+01:00", "value": 19.90, "count": 3}]}'
    (line,) = Events(web__events).batch(body, NOW).lines
    assert line.startswith(b'{"event_id":"a","event_at":"2026-11-22T11:30:00.000Z","value":19.90,"count":3,')
    assert line.endswith(b'"received_at":"2026-11-22T12:00:00.000Z"}')


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"event_id": ""}, "it has no event_id"),
        ({"event_at": None}, "it has no event_at with time zone"),
        ({"event_at": "2026-11-22T11:00:00"}, 'event_at: "2026-11-22T11:00:00" is no timestamp'),
        ({"event_at": (NOW - timedelta(days=91)).isoformat()}, "event_at is 91 days ago; at most 90"),
        ({"event_at": (NOW + timedelta(hours=1)).isoformat()}, "ahead of the collector's clock"),
        ({"count": 1.5}, "count: 1.5 is no int"),
        ({"count": "3"}, 'count: "3" is no int'),
        ({"is_new": "yes"}, 'is_new: "yes" is no boolean'),
        ({"Value": 1}, "'Value' is spelled otherwise than the declared 'value'"),
        ({"note": "x" * 70_000}, "longer than 64 KB"),
    ],
)
def test_an_event_that_does_not_fit_is_refused_with_the_reason_and_the_others_are_taken(wrong: dict[str, Any], reason: str) -> None:
    kept, refused = taken(batch(event(1), event(2, **wrong), event(3)))
    assert [e["event_id"] for e in kept] == ["e1", "e3"]
    assert len(refused) == 1 and reason in refused[0]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no JSON"), (b"[]", "list stands where an object"), (b'{"event": []}', "it looks like"), (b"\xff", "utf-8"),
        (b'{"events": [], "events": []}', "comes twice"), (b'{"events": [{"a": 1, "a": 2}]}', "comes twice"),
        (batch(sent_at="now"), "sent_at \"now\" is no time"), (batch(*[event()] * 1001), "1001 events in one batch"),
    ],
)  # fmt: skip
def test_what_is_no_batch_is_refused_whole(body: bytes, reason: str) -> None:
    with pytest.raises(BatchRefused, match=reason):
        Events(web__events).batch(body, NOW)


def test_a_senders_wrong_clock_is_corrected() -> None:
    ahead = NOW + timedelta(days=2)
    (kept,), _ = taken(batch(event(1, event_at=(ahead - timedelta(minutes=3)).isoformat()), sent_at=ahead.isoformat()))
    assert kept["event_at"] == "2026-11-22T11:57:00.000Z"


class Serving:
    """A collector in this process, asked without a network."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder)
        self.collector = Collector(Events(web__events), self.journal, None, "web/events")  # type: ignore[arg-type]
        self.app = application(self.collector)

    async def post(self, body: bytes, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://here") as client:
            return await client.post("/v1/events", content=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    made = Serving(tmp_path / "journal")
    yield made
    made.journal.close()


def now_event(**more: Any) -> dict[str, Any]:
    return {"event_id": uuid.uuid4().hex, "event_at": datetime.now(UTC).isoformat()} | more


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (gzip.compress(batch(now_event())), {"content_encoding": "gzip"}, 202, ""),
        (gzip.compress(batch(now_event()))[:-9], {"content_encoding": "gzip"}, 400, "cut off"),
        (b"plain", {"content_encoding": "gzip"}, 400, "no gzip archive"),
        (b"x", {"content_encoding": "br"}, 400, "'br' is not read"),
        (b" " * (1 << 20) + b"{}", {}, 413, "at most 1048576"),
        (gzip.compress(b" " * (9 << 20)), {"content_encoding": "gzip"}, 413, "unpacks to more than"),
        (batch(now_event(), {}), {}, 202, "it has no event_id"),
        (batch({}), {}, 422, "it has no event_id"),
        (b"{", {}, 400, "no JSON"),
    ],
)
def test_the_answer_says_what_was_taken(body: bytes, headers: dict[str, str], status: int, reason: str, serving: Serving) -> None:
    import asyncio

    answer = asyncio.run(serving.post(body, **headers))
    assert answer.status_code == status and reason in answer.text
    on_disk = b"".join(f.read_bytes() for f in serving.journal.folder.glob("*.jsonl"))
    assert on_disk.count(b"\n") == (1 if status == 202 else 0)


def test_more_than_can_be_kept_is_answered_429_with_the_time_to_wait(serving: Serving) -> None:
    import asyncio

    serving.collector.waiting = 9 << 20
    answer = asyncio.run(serving.post(batch(now_event())))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


def test_a_disk_that_failed_takes_nothing_more(serving: Serving) -> None:
    import asyncio

    serving.journal.failed = OSError(28, "No space left on device")
    answer = asyncio.run(serving.post(batch(now_event())))
    assert answer.status_code == 503 and "No space left" in answer.text


def test_each_hour_is_a_file_and_a_torn_line_is_cut_at_the_next_start(tmp_path: Path) -> None:
    hour = [datetime(2026, 11, 22, 12, 59, tzinfo=UTC)]
    first = Journal(tmp_path, clock=lambda: hour[0])
    done = threading.Semaphore(0)
    first.write(b"a\n", lambda _: done.release())
    done.acquire()
    hour[0] += timedelta(minutes=2)
    first.write(b"b\n", lambda _: done.release())
    done.acquire()
    first.close()
    (late,) = tmp_path.glob("*.jsonl")
    with late.open("ab") as torn:
        torn.write(b'{"half')
    Journal(tmp_path).close()
    assert {f.name[:13]: f.read_bytes() for f in tmp_path.glob("*.sealed")} == {"2026-11-22T12": b"a\n", "2026-11-22T13": b"b\n"}


class Server:
    """A collector in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def command(self, *more: str) -> list[str]:
        return [sys.executable, "-m", "lakehouse.sources.collector", "web__events", "--folder", str(self.folder), *more]

    def start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        self.process = subprocess.Popen(self.command("--port", str(self.port)), cwd=REPOSITORY, env=environment)
        until = time.monotonic() + 90
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/health", timeout=2)
                return
            except httpx.TransportError:
                assert time.monotonic() < until and self.process.poll() is None
                time.sleep(0.2)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def land(self) -> None:
        subprocess.run(self.command("--land"), cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=True, timeout=120)


@pytest.fixture
def lake(stack: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    name = f"_collector/{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv("LAKEHOUSE_LAKE", f"s3a://lake/{name}")
    monkeypatch.setenv("LAKEHOUSE_LANDING", f"s3://landing/{name}")
    settings.cache_clear()
    yield
    for address in (settings().lake, settings().landing):
        storage.delete_prefix(f"{address}/")
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.integration
def test_every_acknowledged_event_is_in_bronze_though_the_collector_was_killed(lake: None, tmp_path: Path) -> None:
    server, chance = Server(tmp_path / "journal"), Random(5)
    acknowledged: list[str] = []
    stop = threading.Event()

    def send(number: int) -> None:
        with httpx.Client(timeout=5) as client:
            for turn in range(10**6):
                if stop.is_set():
                    return
                events = [now_event(event_id=f"{number}-{turn}-{n}", event_type="page_view", visitor_id="v") for n in range(5)]
                try:
                    answer = client.post(f"http://127.0.0.1:{server.port}/v1/events", content=gzip.compress(batch(*events)),
                                         headers={"content-encoding": "gzip"})  # fmt: skip
                except httpx.TransportError:
                    time.sleep(0.05)
                    continue
                if answer.status_code == 202:
                    acknowledged.extend(e["event_id"] for e in events)

    senders = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for sender in senders:
        sender.start()
    for _ in range(2):
        time.sleep(chance.uniform(0.7, 2))
        server.kill()
        server.start()
    time.sleep(1)
    server.kill()
    stop.set()
    for sender in senders:
        sender.join()
    server.land()
    graph = load(REPOSITORY / "jobs")
    run_table(graph, "web__events", record=False)
    landed = Counter(row[0] for row in read(table_uri(graph["web__events"]), ("event_id",)).elements())
    assert len(acknowledged) > 100
    assert set(acknowledged) <= set(landed) and max(landed.values()) == 1
    print(f"\n{len(acknowledged)} acknowledged, {len(landed)} in bronze, 3 kills")
