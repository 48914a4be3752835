"""What lands of a Postgres' changes, on a server of the tests' own."""

from __future__ import annotations

import gzip
import json
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from lakehouse import storage
from lakehouse.settings import Settings
from lakehouse.sources import capture, cursor_query
from lakehouse.sources.batches import LandReport, Place
from tests.sources.capture.server import OwnServer

pytestmark = pytest.mark.integration


class Source:
    """A database with a table of things, and what has landed of it."""

    def __init__(self, server: OwnServer) -> None:
        self.name = f"s{uuid.uuid4().hex[:8]}"
        with server.connect() as admin:
            admin.execute(f"CREATE DATABASE {self.name}")
        self.server, self.dsn = server, server.dsn(self.name)
        self.place = Place(storage.client(), "landing", f"_capture/{self.name}/")
        columns = "text text, price numeric(12,2), is_new boolean, at timestamptz, tags text[], data jsonb"
        self(f"CREATE TABLE things (id int PRIMARY KEY, {columns})",
             "CREATE PUBLICATION lakehouse FOR TABLE things")  # fmt: skip

    def __call__(self, *statements: str) -> None:
        with psycopg.connect(self.dsn) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def land(self, **more: Any) -> LandReport:
        return capture.land("shop", self.dsn, self.place, **more)

    def changes(self, table: str = "things") -> list[dict[str, Any]]:
        """Every change landed, by number."""
        found = []
        for name in self.place.names(f"shop/{table}/"):
            found += [json.loads(line) for line in gzip.decompress(self.place.get(name)).splitlines()]
        assert [c["sequence"] for c in found] == sorted({c["sequence"] for c in found})
        return found

    def state(self, table: str = "things", key: str = "id") -> dict[Any, Any]:
        """What the changes amount to."""
        rows: dict[Any, Any] = {}
        for change in self.changes(table):
            rows.pop(change["row"][key], None)
            if change["operation"] == "upsert":
                rows[change["row"][key]] = change["row"]
        return rows

    def drop(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            capture.drop_slots(connection, "shop")
        with self.server.connect() as admin:
            admin.execute(f"DROP DATABASE {self.name} WITH (FORCE)")
        storage.delete_prefix(f"s3://landing/_capture/{self.name}/")


@pytest.fixture
def source(stack: Settings, server: OwnServer) -> Iterator[Source]:
    made = Source(server)
    yield made
    made.drop()


def test_rows_that_were_there_and_changes_land_with_their_values_exact(source: Source) -> None:
    values = """E'tab\\t "x" \\\\ \\n ü', 19.90, true, '2026-03-05 07:08:09.123456+01', '{a,"b,c"}', '{"k": [1.50]}'"""
    source(f"INSERT INTO things VALUES (1, {values})")
    source.land()
    source("INSERT INTO things SELECT 2, text, price, is_new, at, tags, data FROM things")
    source.land()
    first, second = (dict(c["row"]) for c in source.changes())
    assert first.pop("id") == 1 and second.pop("id") == 2
    assert first == second, "a row is written alike, whether it was there or was changed"
    assert first["text"] == 'tab\t "x" \\ \n ü' and first["price"] == 19.9 and first["is_new"] is True
    assert first["at"] == "2026-03-05T06:08:09.123456+00:00" and first["tags"] == ["a", "b,c"] and json.loads(first["data"]) == {"k": [1.5]}


def test_what_is_committed_while_the_first_rows_are_read_comes_once(source: Source) -> None:
    source("INSERT INTO things SELECT n, 'old' FROM generate_series(1, 3000) n")
    stop, numbers = threading.Event(), iter(range(10_000, 10**6))

    def write() -> None:
        with psycopg.connect(source.dsn, autocommit=True) as connection:
            while not stop.is_set():
                connection.execute("INSERT INTO things (id) VALUES (%s)", [next(numbers)])

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(3):
        source.land()
    stop.set()
    writer.join()
    source.land()
    landed = [c["row"]["id"] for c in source.changes()]
    with psycopg.connect(source.dsn) as connection:
        there = [row[0] for row in connection.execute("SELECT id FROM things")]
    assert len(landed) == len(set(landed)) and set(landed) == set(there)


def test_transactions_come_in_the_order_of_their_commits_and_whole(source: Source) -> None:
    source.land()
    with psycopg.connect(source.dsn) as slow, psycopg.connect(source.dsn) as undone:
        slow.execute("INSERT INTO things (id, text) VALUES (1, 'slow')")
        undone.execute("INSERT INTO things (id, text) VALUES (9, 'undone')")
        source("INSERT INTO things (id, text) VALUES (2, 'quick')")
        assert source.land().rows == {"things": 1}
        slow.execute("INSERT INTO things (id, text) VALUES (3, 'slow')")
        slow.commit()
        undone.rollback()
    source.land()
    assert [c["row"]["id"] for c in source.changes()] == [2, 1, 3]


def test_deletions_changed_keys_and_emptied_tables_take_the_rows_away(source: Source) -> None:
    source("CREATE TABLE notes (id int PRIMARY KEY)", "ALTER PUBLICATION lakehouse ADD TABLE notes", "INSERT INTO notes VALUES (1), (2)")
    source("INSERT INTO things (id) VALUES (1), (2), (3)")
    source.land()
    source("DELETE FROM things WHERE id = 1", "UPDATE things SET id = 20 WHERE id = 2")
    source.land()
    assert set(source.state()) == {3, 20}
    source("INSERT INTO things (id) VALUES (4)", "TRUNCATE things, notes", "INSERT INTO things (id) VALUES (5)")
    source.land()
    assert set(source.state()) == {5} and source.state("notes") == {}


def test_a_long_text_that_did_not_change_is_not_lost(source: Source) -> None:
    text = "".join(chr(97 + (n * n) % 26) + str(n) for n in range(20_000))
    source(f"INSERT INTO things (id, text) VALUES (1, '{text}')")
    source.land()
    source("UPDATE things SET price = 2")
    source.land()
    assert source.changes()[-1]["row"]["text"] == text
    source("ALTER TABLE things REPLICA IDENTITY FULL", "UPDATE things SET price = 3")
    source.land()
    assert source.changes()[-1]["row"]["text"] == text


@pytest.mark.parametrize(
    "statement", ["ALTER TABLE things ADD COLUMN extra text DEFAULT 'all'", "ALTER TABLE things ALTER price TYPE int USING price * 2"]
)
def test_a_column_added_or_retyped_changes_rows_nobody_touched(source: Source, statement: str) -> None:
    source("INSERT INTO things (id, price) VALUES (1, 1.5), (2, 2.5)")
    source.land()
    source("UPDATE things SET price = 4 WHERE id = 1", statement, "INSERT INTO things (id, price) VALUES (3, 7)")
    source.land()
    rows = source.state()
    with psycopg.connect(source.dsn) as connection:
        there = {i: float(p) for i, p in connection.execute("SELECT id, price FROM things")}
    assert {i: float(r["price"]) for i, r in rows.items()} == there
    assert "extra" not in statement or {r["extra"] for r in rows.values()} == {"all"}
    assert source.land().rows == {}


def test_a_table_taken_into_the_publication_later_comes_with_its_rows(source: Source) -> None:
    source.land()
    source("CREATE TABLE late (id int PRIMARY KEY)", "INSERT INTO late VALUES (1)", "ALTER PUBLICATION lakehouse ADD TABLE late")
    source("INSERT INTO late VALUES (2)")
    source.land()
    assert set(source.state("late")) == {1, 2}


def test_a_slot_that_was_lost_is_noticed_and_what_was_deleted_meanwhile_goes(source: Source) -> None:
    source("INSERT INTO things (id) VALUES (1), (2)")
    source.land()
    with psycopg.connect(source.dsn, autocommit=True) as connection:
        capture.drop_slots(connection, "shop")
    source("DELETE FROM things WHERE id = 1", "INSERT INTO things (id) VALUES (3)")
    report = source.land()
    assert set(source.state()) == {2, 3}
    assert "its slot is gone, so all tables were read again" in report.warnings[0]


def test_a_large_backlog_lands_in_batches_of_whole_transactions(source: Source) -> None:
    source.land()
    for n in range(6):
        source(f"INSERT INTO things SELECT n, repeat('x', 100) FROM generate_series({n * 100}, {n * 100 + 99}) n")
    first = int(source.land(batch_bytes=20_000).batch)
    assert first >= 4 and len(source.changes()) == 600
    sizes = [len(gzip.decompress(source.place.get(n)).splitlines()) for n in source.place.names("shop/things/")]
    assert all(size % 100 == 0 for size in sizes)


def test_what_a_crash_left_of_a_batch_does_not_count(source: Source) -> None:
    source.land()
    leftover = f"{source.place.root}shop/forgotten/0000000002.jsonl.gz"
    source.place.s3.put_object(Bucket="landing", Key=leftover, Body=b"half")
    source.land()
    assert source.place.names("shop/forgotten/") == []


def test_the_servers_disk_is_watched(source: Source) -> None:
    source.land()
    with psycopg.connect(source.dsn) as connection:
        (status, kept), = capture.lag(connection, "shop").values()
    assert status == "reserved" and kept < 64 << 20


def test_a_table_whose_rows_the_log_would_not_name_is_refused(source: Source) -> None:
    source("CREATE TABLE keyless (a int)", "ALTER PUBLICATION lakehouse ADD TABLE keyless")
    with pytest.raises(capture.CaptureError, match=r"keyless, of which the log would not say which row changed.*REPLICA IDENTITY FULL"):
        source.land()
    with pytest.raises(capture.CaptureError, match=r"no publication 'others'.*CREATE PUBLICATION others FOR TABLE"):
        source.land(publication="others")


def test_a_query_by_cursor_takes_what_grew_once_and_late_commits_too(source: Source) -> None:
    def ask(overlap: int = 60) -> LandReport:
        return cursor_query.land("shop", source.dsn, source.place, ["things"], "at", timedelta(minutes=overlap))

    source("INSERT INTO things (id, at) SELECT n, now() FROM generate_series(1, 5) n")
    assert ask().rows == {"things": 5}
    assert ask().rows == {}
    with psycopg.connect(source.dsn) as slow:
        slow.execute("INSERT INTO things (id, at) VALUES (6, now())")
        source("INSERT INTO things (id, at) VALUES (7, now())", "UPDATE things SET text = 'new', at = now() WHERE id = 1")
        assert ask().rows == {"things": 2}
        slow.commit()
    assert ask().rows == {"things": 1}
    assert ask().rows == {}
    assert set(source.state()) == set(range(1, 8)) and source.state()[1]["text"] == "new"
    with pytest.raises(cursor_query.QueryError, match=r'column "nope" does not exist.*cursor='):
        cursor_query.land("shop", source.dsn, source.place, ["things"], "nope", timedelta(0))
