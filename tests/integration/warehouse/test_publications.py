"""Publications: what is loaded again, what is refused, who publishes when."""

from __future__ import annotations

import threading

import psycopg
import pytest

from lakehouse.declare import references
from lakehouse.run.report import Report
from lakehouse.warehouse import ensure, publish, query, record_run
from lakehouse.warehouse.publish import AnotherPublishes, PublicationRefused
from tests.warehouse import star
from tests.warehouse.server import Server
from tests.warehouse.showing import rows, show, things
from tests.warehouse.star import DIM_CUSTOMER, FCT_ORDERS, write

pytestmark = pytest.mark.integration


def test_publishing_the_same_versions_again_changes_nothing(warehouse: Server) -> None:
    graph = star.star(things())
    version = write(things(), [{"number": 1, "name": "x"}])
    first = publish(graph, {"dim_thing": version}, "first")
    again = publish(graph, {"dim_thing": version}, "again")
    assert (first.state, again.state, again.publication) == ("published", "up to date", None)
    assert rows(warehouse, "SELECT run_id FROM ops.publications") == [("first",)]


def test_only_tables_that_moved_are_loaded(warehouse: Server) -> None:
    graph = star.star(DIM_CUSTOMER, FCT_ORDERS)
    customers = write(DIM_CUSTOMER, star.customers())
    orders, _ = star.orders_of_a_moment(1, 10)
    publish(graph, {"dim_customer": customers, "fct_orders": write(FCT_ORDERS, orders)}, "one")
    second = publish(graph, {"dim_customer": customers, "fct_orders": write(FCT_ORDERS, orders)}, "two")
    assert {t.table: (t.before, t.version, t.loaded) for t in second.tables} == {
        "dim_customer": (0, 0, False),
        "fct_orders": (0, 1, True),
    }
    assert second.rows_loaded == 10


def test_going_back_is_refused_unless_meant_and_then_needs_no_loading(warehouse: Server) -> None:
    graph = star.star(things())
    old = show(things(), [{"number": 1, "name": "old"}])
    show(things(), [{"number": 1, "name": "new"}])
    with pytest.raises(PublicationRefused, match=r"dim_thing: shown 1, asked for 0"):
        publish(graph, {"dim_thing": old}, "back")
    report = publish(graph, {"dim_thing": old}, "back", allow_older=True)
    assert (report.state, report.rows_loaded) == ("published", 0)
    assert rows(warehouse, "SELECT name FROM marts.dim_thing") == [("old",)]


def test_a_cut_that_lacks_a_shown_table_is_refused(warehouse: Server) -> None:
    graph = star.star(things(), things(name="dim_other"))
    versions = {name: write(graph[name], [{"number": 1, "name": "x"}]) for name in graph.tables}
    publish(graph, versions, "both")
    with pytest.raises(PublicationRefused, match="no version of dim_other, which the warehouse shows"):
        publish(graph, {"dim_thing": versions["dim_thing"]}, "one")


def test_a_table_whose_file_is_deleted_leaves_the_warehouse(warehouse: Server) -> None:
    graph = star.star(things(), things(name="dim_other"))
    versions = {name: write(graph[name], [{"number": 1, "name": "x"}]) for name in graph.tables}
    publish(graph, versions, "both")
    report = publish(star.star(things()), versions, "one")
    assert report.removed == ("dim_other",)
    assert rows(warehouse, "SELECT viewname FROM pg_views WHERE schemaname = 'marts'") == [("dim_thing",)]


def test_a_table_made_anew_is_loaded_although_its_version_is_the_same(warehouse: Server) -> None:
    from lakehouse import storage
    from lakehouse.settings import settings

    show(things(), [{"number": 1, "name": "first life"}])
    storage.delete_prefix(f"{settings().lake}/gold/dim_thing/")
    show(things(), [{"number": 1, "name": "second life"}])
    assert rows(warehouse, "SELECT name FROM marts.dim_thing") == [("second life",)]
    assert rows(warehouse, "SELECT data_table FROM ops.shown") == [("dim_thing__0_2",)]


def test_a_second_publisher_waits_for_the_first_or_says_who_is_publishing(warehouse: Server) -> None:
    version = write(things(), [{"number": 1, "name": "x"}])
    graph = star.star(things())
    ensure()
    from lakehouse.warehouse.publish import TURN

    with psycopg.connect(warehouse.url("loader"), autocommit=True) as first:
        first.execute("SELECT pg_advisory_lock(%s)", [TURN])
        with pytest.raises(AnotherPublishes, match=r"pid \d+ of loader"):
            publish(graph, {"dim_thing": version}, "second", wait=0.5)
        threading.Timer(1, lambda: first.execute("SELECT pg_advisory_unlock(%s)", [TURN])).start()
        assert publish(graph, {"dim_thing": version}, "second").state == "published"


def test_two_publishers_at_once_load_once(warehouse: Server) -> None:
    version = write(things(), [{"number": n, "name": "x"} for n in range(1000)])
    states: list[str] = []

    def run(n: int) -> None:
        states.append(publish(star.star(things()), {"dim_thing": version}, f"run {n}").state)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == ["published", "up to date", "up to date", "up to date"]


def test_a_reference_to_a_table_that_is_not_published_is_left_out(warehouse: Server) -> None:
    table = things(checks=[references("customers", "name", "customer_id")])
    show(table, [{"number": 1, "name": "x"}])
    assert rows(warehouse, "SELECT count(*) FROM ops.publication_references") == [(0,)]


def test_a_run_is_recorded_with_its_rules(warehouse: Server) -> None:
    rule = {"rule": "total: at_least(0)", "level": 2, "action": "flag", "failed": 3}
    record_run(
        Report("orders", "published", "run-1", reason="new rows", version=7, rows_written=10, score=0.7,
               inputs={"shop__orders": 4}, rules=[rule], seconds=1.5, started_at="2026-11-22T07:00:00+00:00")
    )  # fmt: skip
    record_run(Report("orders", "up to date", "run-2"))
    assert query("SELECT run_id, table_name, state, version, inputs, score FROM ops.runs ORDER BY id").rows == [
        ("run-1", "orders", "published", 7, {"shop__orders": 4}, 0.7),
        ("run-2", "orders", "up to date", None, {}, None),
    ]
    assert query("SELECT rule, level, action, failed FROM ops.quality").rows == [tuple(rule.values())]
