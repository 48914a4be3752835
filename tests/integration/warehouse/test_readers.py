"""Readers: a publication never takes anything from under them."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from lakehouse.warehouse import publish, query
from lakehouse.warehouse.query import QueryFailed
from lakehouse.warehouse.readers import ReadersInTheWay
from tests.warehouse import star
from tests.warehouse.server import Server
from tests.warehouse.showing import rows, show, things

pytestmark = pytest.mark.integration


def test_a_transaction_begun_before_a_publication_finds_no_empty_table(warehouse: Server) -> None:
    show(things(), [{"number": 1, "name": "old"}])
    with psycopg.connect(warehouse.url("analyst")) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT 1")
        show(things(), [{"number": 1, "name": "new"}])
        assert reader.execute("SELECT name FROM marts.dim_thing").fetchall() == [("new",)]


def test_a_long_query_delays_the_publication_and_no_other_reader(warehouse: Server) -> None:
    show(things(), [{"number": 1, "name": "old"}])
    waits, queued = [], []
    waiting = "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database WHERE NOT granted AND datname = current_database()"
    with psycopg.connect(warehouse.url("analyst")) as long, warehouse.admin() as admin:
        long.execute("SELECT * FROM marts.dim_thing")
        publishing = threading.Thread(target=show, args=(things(), [{"number": 1, "name": "new"}]))
        publishing.start()
        start = time.monotonic()
        while (began := time.monotonic()) < start + 5:
            if began > start + 2.5:
                queued += admin.execute(waiting).fetchall()
            assert rows(warehouse, "SELECT name FROM marts.dim_thing") == [("old",)]
            waits.append(time.monotonic() - began)
            time.sleep(0.01)
        assert long.execute("SELECT name FROM marts.dim_thing").fetchall() == [("old",)]
    publishing.join()
    print(f"\n{len(waits)} queries beside a waiting publication, longest {max(waits):.2f} s")
    assert rows(warehouse, "SELECT name FROM marts.dim_thing") == [("new",)]
    assert max(waits) < 1.0
    assert queued == []  # once the long query is known as such, nobody queues before the other readers


def test_a_publication_gives_up_on_readers_that_never_let_go_and_changes_nothing(warehouse: Server) -> None:
    show(things(), [{"number": 1, "name": "old"}])
    with psycopg.connect(warehouse.url("analyst")) as long:
        long.execute("SELECT * FROM marts.dim_thing")
        with pytest.raises(ReadersInTheWay, match=r"pid \d+ for"):
            show(things(), [{"number": 1, "name": "new"}], patience=1)
    assert rows(warehouse, "SELECT name FROM marts.dim_thing") == [("old",)]
    publish(star.star(things()), {"dim_thing": star.newest(things())}, "later")
    assert rows(warehouse, "SELECT name FROM marts.dim_thing") == [("new",)]


def test_data_still_read_stay_until_a_later_publication(warehouse: Server) -> None:
    show(things(), [{"number": 0, "name": "0"}])
    with psycopg.connect(warehouse.url("loader")) as slow:
        slow.execute("SELECT * FROM marts_data.dim_thing__0")
        for n in (1, 2):
            show(things(), [{"number": n, "name": str(n)}])
        kept = "SELECT tablename FROM pg_tables WHERE schemaname = 'marts_data' ORDER BY 1"
        assert [t for (t,) in rows(warehouse, kept)] == ["dim_thing__0", "dim_thing__1", "dim_thing__2"]
    show(things(), [{"number": 3, "name": "3"}])
    assert [t for (t,) in rows(warehouse, kept)] == ["dim_thing__2", "dim_thing__3"]
    assert rows(warehouse, "SELECT data_table FROM ops.data_tables ORDER BY 1") == [("dim_thing__2",), ("dim_thing__3",)]


def test_a_query_answers_within_its_limit_and_reads_only(warehouse: Server) -> None:
    show(things(), [{"number": n, "name": "x"} for n in range(5)])
    answer = query("SELECT number, name FROM marts.dim_thing ORDER BY number", limit=2)
    assert (answer.columns, answer.rows, answer.more) == (["number", "name"], [(0, "x"), (1, "x")], True)
    assert query("SELECT * FROM marts.dim_thing WHERE number > 9").columns == ["number", "name"]
    assert not query("SELECT * FROM marts.dim_thing", limit=5).more
    with pytest.raises(QueryFailed, match=r'relation "marts.dim_thingy" does not exist\n.*\n +\^\n.*ops.shown'):
        query("SELECT * FROM marts.dim_thingy")
    with pytest.raises(QueryFailed, match="longer than 1 s"):
        query("SELECT pg_sleep(5)", seconds=1)
    for harmful in ("DELETE FROM marts.dim_thing", "CREATE TABLE marts.x (a int)", "SELECT 1; DROP VIEW marts.dim_thing"):
        with pytest.raises(QueryFailed):
            query(harmful)
