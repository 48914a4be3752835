"""Virtual tables: the shop's own database is asked when a table needs it, for what it needs, at one moment; nothing is copied."""

from __future__ import annotations

import json
import re
import socket
import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from lakehouse import storage
from lakehouse.cli.facts import facts_of
from lakehouse.delta.location import table_uri
from lakehouse.delta.session import open_session
from lakehouse.graph import load
from lakehouse.run import run_table
from lakehouse.run.live import moment_of, pinned
from lakehouse.run.resolve import state_at
from lakehouse.settings import REPOSITORY, Settings, settings
from lakehouse.sources.live_query import LiveQueryRefused

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
SCHEMA = (REPOSITORY / "infra" / "world" / "shop.sql").read_bytes()
ORDERS = """
INSERT INTO orders (order_id, status, sales_channel, payment_method, total, ordered_at)
SELECT 'o' || n, (ARRAY['placed', 'shipped', 'delivered', 'delivered', 'cancelled'])[1 + n % 5], 'web', 'card', n, '2026-11-01'
FROM generate_series(1, 500) n
"""
OPEN = "SELECT order_id, status, total FROM orders WHERE status IN ('placed', 'shipped') ORDER BY 1"


class Wire:
    """Stands between a database and whoever asks it, and keeps what is asked and how many bytes are answered."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.asked, self.answered = b"", 0
        threading.Thread(target=self._accept, daemon=True).start()

    def queries(self) -> list[str]:
        """Statements that Spark sent to fetch rows, in order."""
        return re.findall(r"SELECT [^\0]*? FROM \(SELECT [^\0]*", self.asked.decode("latin-1"))

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_question: bool) -> None:
        try:
            while piece := source.recv(1 << 16):
                if is_question:
                    self.asked += piece
                else:
                    self.answered += len(piece)
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self) -> None:
        self._listener.close()


class Shop:
    """The shop's database, reached through the wire by everybody but the test."""

    def __init__(self, dsn: str, password: str, wire: Wire) -> None:
        self.dsn, self.password, self.wire = dsn, password, wire
        self.graph = load(REPOSITORY / "jobs")

    def does(self, statement: str) -> list[Any]:
        with psycopg.connect(self.dsn, autocommit=True, options="-c session_replication_role=replica") as connection:  # no triggers
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def open_orders(self) -> list[tuple[Any, ...]]:
        with open_session() as spark:
            found = spark.read.format("delta").load(table_uri(self.graph["open_orders"])).select("order_id", "status", "total")
            return sorted(tuple(row) for row in found.collect())


@pytest.fixture(scope="module")
def shop(stack: Settings) -> Iterator[Shop]:
    password = json.loads((stack.home / "secrets.json").read_text())["postgres"]
    admin = make_conninfo(stack.shop_url.get_secret_value(), user="postgres", password=password, dbname="postgres")
    place, name = conninfo_to_dict(admin), f"live_{uuid.uuid4().hex[:8]}"
    wire = Wire(str(place["host"]), int(str(place["port"])))
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    here = Shop(make_conninfo(admin, dbname=name), password, wire)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAKEHOUSE_SHOP_URL", make_conninfo(admin, dbname=name, host="127.0.0.1", port=wire.port))
        patch.setenv("LAKEHOUSE_LAKE", f"s3a://lake/_live/{name}")
        settings.cache_clear()
        here.does(SCHEMA.decode())
        here.does("DROP TRIGGER order_total_agrees ON orders")  # the column's type is part of it
        here.does(ORDERS)
        yield here
        storage.delete_prefix(f"{settings().lake}/")
    settings.cache_clear()
    wire.close()
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_only_what_a_table_needs_leaves_the_database_nothing_is_copied_and_the_moment_is_known(shop: Shop) -> None:
    asked = run_table(shop.graph, "shop__orders_now", record=False)
    assert asked.reason.startswith("virtual: nothing is stored; 'shop' answers as declared")
    before = shop.does("SELECT clock_timestamp()")[0][0]
    report = run_table(shop.graph, "open_orders")
    after = shop.does("SELECT clock_timestamp()")[0][0]
    assert shop.open_orders() == sorted(shop.does(OPEN)) and report.rows_written == 200
    fetched = [q for q in shop.wire.queries() if "WHERE 1=0" not in q and "LIMIT 0" not in q]
    assert fetched
    for query in fetched:
        wanted, asked_of = query.split(" FROM (", 1)
        assert "sales_channel" not in wanted and "updated_at" not in wanted
        assert re.search(r"""WHERE .*"status" IN \('placed', ?'shipped'\)""", asked_of)
    assert list(storage.list_objects(f"{table_uri(shop.graph['shop__orders_now'])}/")) == []
    state = state_at(shop.graph["open_orders"])
    assert state and before <= moment_of(state.inputs["shop__orders_now"].version) <= after
    virtual, reader = facts_of(shop.graph, "shop__orders_now", 3), facts_of(shop.graph, "open_orders", 0)
    assert virtual["state"]["virtual"] == "shop" and len(virtual["sample"]["rows"]) == 3
    assert reader["state"]["inputs"] == {"shop__orders_now": virtual["state"]["read_by"]["open_orders"]}
    shown = datetime.fromisoformat(reader["state"]["inputs"]["shop__orders_now"])
    assert before - timedelta(milliseconds=1) <= shown <= after


def test_each_run_reads_anew_and_writes_only_what_differs(shop: Shop) -> None:
    run_table(shop.graph, "open_orders", record=False)
    idle = run_table(shop.graph, "open_orders", record=False)
    assert (idle.reason, idle.rows_written, idle.rows_deleted) == ("shop__orders_now is read live", 0, 0)
    shop.does("UPDATE orders SET status = 'delivered' WHERE order_id = 'o1'")
    shop.does("UPDATE orders SET status = 'shipped' WHERE order_id = 'o5'")
    moved = run_table(shop.graph, "open_orders", record=False)
    assert (moved.rows_written, moved.rows_deleted) == (1, 1)
    assert shop.open_orders() == sorted(shop.does(OPEN))


def test_all_of_a_run_sees_one_moment_whatever_is_committed_meanwhile(shop: Shop) -> None:
    with open_session() as spark, pinned(shop.graph, ["shop__orders_now"]) as readings:
        before = readings["shop__orders_now"].frame(spark).count()
        shop.does("DELETE FROM orders WHERE order_id IN ('o2', 'o3')")
        assert readings["shop__orders_now"].frame(spark).count() == before
    with open_session() as spark, pinned(shop.graph, ["shop__orders_now"]) as readings:
        assert readings["shop__orders_now"].frame(spark).count() == before - 2


def test_the_password_is_in_no_setting_no_plan_no_log(shop: Shop, stack: Settings) -> None:
    with open_session() as spark, pinned(shop.graph, ["shop__orders_now"]) as readings:
        frame = readings["shop__orders_now"].frame(spark)
        assert shop.password not in repr(readings)
        assert shop.password not in frame._explain_string(extended=True)  # type: ignore[operator]
        assert shop.password not in str(spark.sql("SET -v").collect()) + str(spark.conf.getAll)
        with pytest.raises(Exception) as failed:  # the database refuses while Spark reads
            frame.selectExpr("1 / (length(order_id) - length(order_id))").collect()
        assert shop.password not in str(failed.value)
    written = b"".join(storage.get(each.uri) or b"" for each in storage.list_objects(f"{settings().lake}/silver/open_orders/_delta_log/"))
    assert written and shop.password.encode() not in written
    for log in (stack.home / "logs").glob("spark*"):
        assert shop.password not in log.read_text(errors="replace")


def test_an_answer_that_breaks_the_contract_stops_the_run_with_each_difference(shop: Shop) -> None:
    shop.does("ALTER TABLE orders ALTER COLUMN total TYPE numeric(14,3)")
    try:
        with pytest.raises(LiveQueryRefused, match=r"column 'total' is decimal\(14,3\), declared decimal\(12,2\): cast it in the query"):
            run_table(shop.graph, "open_orders", record=False)
        shop.does("ALTER TABLE orders RENAME COLUMN total TO amount")
        with pytest.raises(LiveQueryRefused, match="'shop' refuses the query: column \"total\" does not exist"):
            run_table(shop.graph, "shop__orders_now", record=False)
    finally:
        shop.does("ALTER TABLE orders RENAME COLUMN amount TO total")
        shop.does("ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,2)")
