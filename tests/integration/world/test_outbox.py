"""The lander of change rows against a real Postgres and a real object store."""

import gzip
import json
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from infra.world.advance import Place, World
from lakehouse import storage
from lakehouse.sources.batches import LandReport, watermark
from lakehouse.sources.batches import Place as Landing
from lakehouse.sources.outbox import OutboxError, land

MakePlace = Callable[[], Place]
pytestmark = pytest.mark.integration

PLAIN = """
CREATE TABLE outbox (sequence bigserial PRIMARY KEY, xid xid8 NOT NULL DEFAULT pg_current_xact_id(), operation text NOT NULL,
                     table_name text NOT NULL, row jsonb NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())
"""
INSERT = "INSERT INTO outbox (operation, table_name, row) VALUES ('upsert', %s, %s)"


@dataclass
class Source:
    """A database with nothing but an outbox."""

    place: Place

    def write(self, *values: int, table: str = "things") -> None:
        with psycopg.connect(self.place.dsn) as connection:
            for value in values:
                connection.execute(INSERT, [table, json.dumps({"id": value})])

    def land(self, **more: Any) -> LandReport:
        return land("plain", self.place.dsn, self.place.s3, self.place.bucket, **more)

    def manifests(self) -> list[dict[str, Any]]:
        found = storage.list_objects(f"s3://{self.place.bucket}/plain/_batches/")
        return [json.loads(storage.get(o.uri) or b"") for o in found]

    def landed(self, table: str = "things") -> Iterator[dict[str, Any]]:
        for manifest in self.manifests():
            if table in manifest["objects"]:
                body = storage.get(f"s3://{self.place.bucket}/{manifest['objects'][table]['key']}") or b""
                yield from map(json.loads, gzip.decompress(body).splitlines())

    def ids(self) -> list[int]:
        return [line["row"]["id"] for line in self.landed()]


@pytest.fixture
def plain(place: MakePlace) -> Source:
    here = place()
    with psycopg.connect(here.dsn) as connection:
        connection.execute(PLAIN)
    return Source(here)


def test_what_was_written_lands_once_with_its_values_exact(plain: Source) -> None:
    with psycopg.connect(plain.place.dsn) as connection:
        connection.execute(INSERT, ["things", '{"id": 1, "price": 19.90, "name": "Zoë \\"x\\" \\\\ \\n %s"}'])
    assert plain.land().rows == {"things": 1}
    assert plain.land().rows == {}
    (line,) = plain.landed()
    assert (line["sequence"], line["operation"]) == (1, "upsert")
    assert line["row"] == {"id": 1, "price": 19.9, "name": 'Zoë "x" \\ \n %s'}
    assert datetime.fromisoformat(line["at"]).tzinfo is not None
    key = plain.manifests()[0]["objects"]["things"]["key"]
    assert b"19.90" in gzip.decompress(storage.get(f"s3://{plain.place.bucket}/{key}") or b"")


def test_a_transaction_open_during_a_read_is_not_lost(plain: Source) -> None:
    with psycopg.connect(plain.place.dsn) as slow:
        slow.execute(INSERT, ["things", '{"id": 1}'])
        plain.write(2)
        first = plain.land()
        assert plain.ids() == [2]
        slow.commit()
    second = plain.land()
    assert plain.ids() == [2, 1]
    assert plain.land().rows == {}
    assert second.batch > first.batch


def test_the_watermark_waits_for_open_transactions(plain: Source) -> None:
    plain.write(1)
    settled = plain.land().watermark
    with psycopg.connect(plain.place.dsn) as slow:
        slow.execute(INSERT, ["things", '{"id": 2}'])
        during = plain.land().watermark
        again = plain.land().watermark
        slow.commit()
    done = plain.land().watermark
    written = {line["row"]["id"]: datetime.fromisoformat(line["at"]) for line in plain.landed()}
    assert all(mark is None or mark < written[2] for mark in (settled, during, again))
    assert done is None or done > written[2]
    while done is None:  # somebody else's transaction on this server
        done = plain.land().watermark
    assert watermark("plain", Landing(plain.place.s3, plain.place.bucket)) == done


def test_a_rolled_back_transaction_never_lands(plain: Source) -> None:
    with psycopg.connect(plain.place.dsn) as undone:
        undone.execute(INSERT, ["things", '{"id": 1}'])
        plain.land()
        undone.rollback()
    plain.write(2)
    plain.land()
    assert plain.ids() == [2]


def test_many_writers_and_readers_at_once_lose_nothing_and_repeat_nothing(plain: Source) -> None:
    """Twelve writers of transactions of different length, two readers; each reader's report is of its own batch."""
    import random
    import time

    stop, problems = threading.Event(), []

    def write(writer: int) -> None:
        luck = random.Random(writer)
        with psycopg.connect(plain.place.dsn) as connection:
            for turn in range(25):
                for part in range(luck.randint(1, 4)):
                    connection.execute(INSERT, ["things", json.dumps({"id": writer * 10_000 + turn * 10 + part})])
                    time.sleep(luck.random() * 0.02)
                (connection.rollback if luck.random() < 0.1 else connection.commit)()

    def read() -> None:
        while not stop.is_set():
            try:
                plain.land()
            except OutboxError as error:
                problems.append(error)
            time.sleep(0.02)

    writers = [threading.Thread(target=write, args=(w,)) for w in range(12)]
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in (*writers, *readers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()
    plain.land()
    with psycopg.connect(plain.place.dsn) as connection:
        there = [row[0] for row in connection.execute("SELECT (row ->> 'id')::int FROM outbox")]
    assert not problems
    assert len(plain.manifests()) > 5
    assert Counter(plain.ids()) == Counter(there)


def test_what_a_crash_left_is_overwritten(plain: Source) -> None:
    plain.write(1)
    garbage = f"s3://{plain.place.bucket}/plain/things/0000000001.jsonl.gz"
    storage.put(garbage, b"half")
    assert plain.land().batch == "0000000001"
    assert plain.ids() == [1]


def test_a_manifest_is_never_replaced(plain: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    from lakehouse.sources import outbox

    plain.write(1)
    plain.land()
    before = plain.manifests()
    monkeypatch.setattr(outbox, "_newest", lambda *_: None)
    with pytest.raises(OutboxError, match="written by another reader"):
        plain.land()
    assert plain.manifests() == before


def test_with_nothing_new_the_watermark_still_advances(plain: Source) -> None:
    plain.write(1)
    moment = datetime(2026, 11, 21, 13, tzinfo=UTC)
    plain.land(clock=lambda: moment)
    later = plain.land(clock=lambda: moment + timedelta(hours=1))
    assert later.rows == {}
    assert watermark("plain", Landing(plain.place.s3, plain.place.bucket)) == later.watermark == moment + timedelta(hours=1)
    assert len(list(plain.landed())) == 1


def test_the_watermark_is_the_worlds_time_not_ours(place: MakePlace) -> None:
    here = place()
    until = datetime(2026, 3, 5, 7, tzinfo=UTC)
    world = World(here, progress=lambda _: None)
    world.create("tiny", until, days=2)
    assert land("shop", here.dsn, here.s3, here.bucket).watermark == until
    world.advance(until + timedelta(hours=1))
    report = land("shop", here.dsn, here.s3, here.bucket)
    assert report.watermark == until + timedelta(hours=1)
    assert all(table in report.rows for table in ("orders", "order_lines")) == ("orders" in report.rows)


def test_a_replaced_database_is_noticed(plain: Source) -> None:
    plain.write(1)
    plain.land()
    key = "plain/_batches/0000000001.json"
    manifest = plain.manifests()[0] | {"snapshot": "999999999:999999999:"}
    plain.place.s3.put_object(Bucket=plain.place.bucket, Key=key, Body=json.dumps(manifest).encode())
    with pytest.raises(OutboxError, match="restored or replaced"):
        plain.land()


def test_a_database_without_outbox_says_what_is_missing(place: MakePlace) -> None:
    here = place()
    with pytest.raises(OutboxError, match=r'relation "outbox" does not exist.*Valid: outbox \(sequence bigserial'):
        land("plain", here.dsn, here.s3, here.bucket)


def test_memory_stays_flat_however_much_lands(plain: Source) -> None:
    fill = (
        "INSERT INTO outbox (operation, table_name, row) "
        "SELECT 'upsert', 'things', jsonb_build_object('id', n, 'text', repeat('x', 300)) FROM generate_series(1, %s) n"
    )
    peaks = []
    for rows in (5_000, 50_000):
        with psycopg.connect(plain.place.dsn) as connection:
            connection.execute(fill, [rows])
        tracemalloc.start()
        assert plain.land().rows == {"things": rows}
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0] + 1_000_000
