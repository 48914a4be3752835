"""The warehouse on a real Postgres and a real object store."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from lakehouse.declare import Column, references
from lakehouse.run.report import Report
from lakehouse.settings import Settings
from lakehouse.warehouse import ensure, publish, query, record_run
from lakehouse.warehouse.lake import Unreadable
from lakehouse.warehouse.load import LoadFailed
from lakehouse.warehouse.publish import AnotherPublishes, PublicationRefused
from lakehouse.warehouse.query import QueryFailed
from lakehouse.warehouse.readers import ReadersInTheWay
from lakehouse.warehouse.switch import ViewInUse
from tests.warehouse import star
from tests.warehouse.server import Server, own_warehouse
from tests.warehouse.star import DIM_CUSTOMER, FCT_ORDER_LINES, FCT_ORDERS, Version, declared, write

pytestmark = pytest.mark.integration

NUMBER = Column("number", "bigint", "Counts.")
NAME = Column("name", "string", "Called.")


@pytest.fixture
def warehouse(stack: Settings) -> Iterator[Server]:
    """A database of this test's own."""
    with own_warehouse(stack) as server:
        yield server


def things(*columns: Column, name: str = "dim_thing", checks: Any = (), key: str = "number") -> Any:
    return declared(name, key, columns or (NUMBER, NAME), checks)


def rows(server: Server, statement: str, role: str = "analyst") -> list[tuple[Any, ...]]:
    with psycopg.connect(server.url(role), autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def show(declaration: Any, content: list[dict[str, Any]], **options: Any) -> Version:
    """Write and publish one table alone."""
    version = write(declaration, content)
    publish(star.star(declaration), {declaration.name: version}, "run", **options)
    return version


def test_every_type_arrives_as_what_it_is(warehouse: Server) -> None:
    types = things(
        NUMBER,
        Column("money", "decimal(12,2)", "Exact."),
        Column("at", "timestamp", "A moment, UTC."),
        Column("day", "date", "A day."),
        Column("is_on", "boolean", "Or not."),
        Column("share", "double", "Between 0 and 1."),
        Column("tags", "array<string>", "Words."),
        Column("prices", "array<decimal(12,2)>", "Exact ones."),
        Column("place", "struct<city:string,zip:string>", "Where."),
        Column("counts", "map<string,bigint>", "By word."),
        Column("picture", "binary", "Bytes."),
    )
    full = {
        "number": 2**62, "money": Decimal("-9999999999.99"), "at": datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
        "day": date(1, 1, 1), "is_on": True, "share": 0.1, "tags": ["a", None, 'quote " and \\'],
        "prices": [Decimal("0.10"), Decimal("0.20")], "place": {"city": "Köln", "zip": None},
        "counts": [("a", 1)], "picture": b"\x00\xff",
    }  # fmt: skip
    show(types, [full, {"number": 0}])
    assert rows(warehouse, "SELECT * FROM marts.dim_thing ORDER BY number DESC") == [
        tuple((full | {"counts": {"a": 1}}).values()),
        (0, *[None] * 10),
    ]
    kinds = rows(
        warehouse,
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'marts.dim_thing'::regclass"
        " AND attnum > 0 ORDER BY attnum",
    )
    assert [kind for (kind,) in kinds] == [
        "bigint", "numeric(12,2)", "timestamp with time zone", "date", "boolean", "double precision", "text[]",
        "numeric(12,2)[]", "jsonb", "jsonb", "bytea",
    ]  # fmt: skip


def test_hidden_columns_and_deleted_rows_stay_in_the_lake(warehouse: Server) -> None:
    table = things()
    version = write(
        table,
        [
            {"number": 1, "name": "lives", "_deleted": False, "_sequence": 1},
            {"number": 2, "name": "lived", "_deleted": True, "_sequence": 2},
            {"number": 3, "name": "never marked", "_deleted": None, "_sequence": 3},
        ],
        hidden={"_deleted": pa.bool_(), "_sequence": pa.int64()},
    )
    publish(star.star(table), {"dim_thing": version}, "run")
    assert rows(warehouse, "SELECT * FROM marts.dim_thing ORDER BY number") == [(1, "lives"), (3, "never marked")]


def test_a_partitioned_table_comes_with_its_partition_columns(warehouse: Server) -> None:
    table = things()
    version = write(
        table,
        [{"number": 1, "name": "a b/c=%"}, {"number": 2, "name": None}, {"number": 3, "name": "plain"}],
        partition_by=["name"],
    )
    publish(star.star(table), {"dim_thing": version}, "run")
    assert rows(warehouse, "SELECT * FROM marts.dim_thing ORDER BY number") == [
        (1, "a b/c=%"),
        (2, None),
        (3, "plain"),
    ]


def test_an_empty_table_is_shown_empty(warehouse: Server) -> None:
    show(things(), [])
    assert rows(warehouse, "SELECT count(*) FROM marts.dim_thing") == [(0,)]


def test_a_nul_character_is_named_with_table_column_and_key(warehouse: Server) -> None:
    with pytest.raises(LoadFailed, match=r"dim_thing version 0, column 'name', key \{'number': 7\}.*NUL"):
        show(things(), [{"number": 6, "name": "fine"}, {"number": 7, "name": "not\x00fine"}])
    assert rows(warehouse, "SELECT count(*) FROM pg_tables WHERE schemaname = 'staging'") == [(0,)]


def test_a_repeated_or_missing_key_is_refused_and_the_old_rows_stay(warehouse: Server) -> None:
    show(things(), [{"number": 1, "name": "right"}])
    with pytest.raises(LoadFailed, match=r"dim_thing version 1.*unique.*\(number\)=\(2\) is duplicated"):
        show(things(), [{"number": 2, "name": "once"}, {"number": 2, "name": "twice"}])
    with pytest.raises(LoadFailed, match=r"dim_thing version 2.*null value in column \"number\""):
        show(things(), [{"number": None, "name": "nobody"}])
    assert rows(warehouse, "SELECT * FROM marts.dim_thing") == [(1, "right")]


def test_a_declaration_newer_than_the_data_is_refused(warehouse: Server) -> None:
    version = write(things(), [{"number": 1, "name": "x"}])
    more = things(NUMBER, Column("name", "int", "Now a number."), Column("size", "int", "New."))
    with pytest.raises(Unreadable, match=r"'name' is declared .* integer, .* string; column 'size' is declared but"):
        publish(star.star(more), {"dim_thing": version}, "run")


def test_a_version_or_a_table_that_is_not_there_is_refused(warehouse: Server) -> None:
    version = write(things(), [{"number": 1, "name": "x"}])
    graph = star.star(things(), things(name="dim_nowhere"))
    with pytest.raises(Unreadable, match="cannot be opened at this version"):
        publish(graph, {"dim_thing": Version(version.id, 99)}, "run")
    with pytest.raises(Unreadable, match="made anew"):
        publish(graph, {"dim_thing": Version("another", 0)}, "run")
    with pytest.raises(Unreadable, match="no such Delta table"):
        publish(graph, {"dim_nowhere": Version("x", 0)}, "run")
    with pytest.raises(PublicationRefused, match=r"Given: orders; published are: dim_"):
        publish(graph, {"orders": Version("x", 0)}, "run")


def test_a_table_with_deletion_vectors_is_refused(warehouse: Server) -> None:
    table = things()
    version = write(table, [{"number": 1, "name": "x"}])
    from deltalake import DeltaTable, TableFeatures

    from lakehouse.settings import settings
    from lakehouse.warehouse.lake import storage_options

    delta = DeltaTable(f"{settings().lake}/gold/dim_thing", storage_options=storage_options())
    delta.alter.add_feature(TableFeatures.DeletionVectors, allow_protocol_versions_increase=True)
    with pytest.raises(Unreadable, match=r"deletionVectors.*would misread"):
        publish(star.star(table), {"dim_thing": Version(version.id, delta.version())}, "run")


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


def test_a_new_column_comes_last_and_what_depends_on_the_view_stays(warehouse: Server) -> None:
    show(things(), [{"number": 1, "name": "x"}])
    with warehouse.admin() as admin:
        admin.execute("CREATE VIEW public.mine AS SELECT name FROM marts.dim_thing")
    wider = things(NUMBER, Column("size", "int", "How big."), NAME)
    show(wider, [{"number": 1, "size": 9, "name": "y"}])
    assert rows(warehouse, "SELECT * FROM marts.dim_thing") == [(1, "y", 9)]
    assert rows(warehouse, "SELECT * FROM public.mine", "postgres") == [("y",)]


def test_a_removed_column_makes_the_view_anew_or_names_what_depends_on_it(warehouse: Server) -> None:
    show(things(), [{"number": 1, "name": "x"}])
    with warehouse.admin() as admin:
        admin.execute("CREATE VIEW public.mine AS SELECT name FROM marts.dim_thing")
        with pytest.raises(ViewInUse, match=r"view mine depends on view marts.dim_thing"):
            show(things(NUMBER), [{"number": 2}])
        assert rows(warehouse, "SELECT * FROM marts.dim_thing") == [(1, "x")]
        admin.execute("DROP VIEW public.mine")
    publish(star.star(things(NUMBER)), {"dim_thing": star.newest(things())}, "run")
    assert rows(warehouse, "SELECT * FROM marts.dim_thing") == [(2,)]


def test_a_changed_type_makes_the_view_anew(warehouse: Server) -> None:
    show(things(), [{"number": 1, "name": "x"}])
    show(things(NUMBER, Column("name", "int", "Now a number.")), [{"number": 1, "name": 5}])
    assert rows(warehouse, "SELECT * FROM marts.dim_thing") == [(1, 5)]


def test_a_description_or_sensitivity_changes_without_loading(warehouse: Server) -> None:
    version = show(things(), [{"number": 1, "name": "x"}])
    hidden = things(NUMBER, Column("name", "string", "A person's name.", sensitivity="personal"))
    report = publish(star.star(hidden), {"dim_thing": version}, "run")
    assert (report.state, report.rows_loaded) == ("published", 0)
    assert rows(warehouse, "SELECT * FROM marts.dim_thing") == [(1, None)]
    assert rows(warehouse, "SELECT col_description('marts.dim_thing'::regclass, 2)") == [("A person's name.",)]


def test_each_reader_sees_what_their_role_may(warehouse: Server) -> None:
    show(DIM_CUSTOMER, star.customers(1))
    with warehouse.admin() as admin:
        seen = {}
        for group in ("reads_internal", "reads_pseudonym", "reads_personal", "reads_highly_sensitive"):
            admin.execute(f"SET ROLE {group}")
            seen[group] = admin.execute("SELECT * FROM marts.dim_customer").fetchone()
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                admin.execute("SELECT * FROM marts_data.dim_customer__0")
            admin.execute("RESET ROLE")
    whole = ("c0", "c0@example.org", Decimal("1.50"), "DE")
    assert seen == {
        "reads_internal": (None, None, None, "DE"),
        "reads_pseudonym": ("c0", None, None, "DE"),
        "reads_personal": whole,
        "reads_highly_sensitive": whole,
    }
    assert query("SELECT * FROM marts.dim_customer").rows == [("c0", None, None, "DE")]
    # Replacing the view keeps its columns' types, so that it need not be made anew each time.
    show(DIM_CUSTOMER, star.customers(2))
    assert query("SELECT count(*) FROM marts.dim_customer").rows == [(2,)]


def test_a_session_that_changes_its_role_sees_what_the_new_role_may(warehouse: Server) -> None:
    show(DIM_CUSTOMER, star.customers(1))
    with warehouse.admin() as admin:
        admin.execute("CREATE FUNCTION public.first_email() RETURNS text LANGUAGE plpgsql AS "
                      "$$ BEGIN RETURN (SELECT min(email) FROM marts.dim_customer); END $$")  # fmt: skip
        admin.execute("SET plan_cache_mode = force_generic_plan")
        for _ in range(3):
            for group, email in (("reads_personal", "c0@example.org"), ("reads_pseudonym", None)):
                admin.execute(f"SET ROLE {group}")
                kept = admin.execute("SELECT email FROM marts.dim_customer", prepare=True).fetchone()
                assert kept == (email,)
                assert admin.execute("SELECT public.first_email()", prepare=True).fetchone() == (email,)


def test_a_column_that_may_be_seen_is_found_by_its_index(warehouse: Server) -> None:
    show(DIM_CUSTOMER, star.customers(20_000))
    plan = "\n".join(line for (line,) in rows(warehouse, "EXPLAIN SELECT * FROM marts.dim_customer WHERE customer_id = 'c77'"))
    assert "Index Scan using dim_customer__0_pkey" in plan


def test_keys_indexes_comments_and_references_follow_the_declaration(warehouse: Server) -> None:
    graph = star.star(DIM_CUSTOMER, FCT_ORDERS, FCT_ORDER_LINES)
    orders, lines = star.orders_of_a_moment(1, 20)
    lines.append({"order_line_id": 99, "order_id": -1, "amount": Decimal(1)})
    content = {"dim_customer": star.customers(10), "fct_orders": orders, "fct_order_lines": lines}
    report = publish(graph, {name: write(graph[name], each) for name, each in content.items()}, "run")
    assert {(r.table, r.other_table): n for r, n in report.references} == {
        ("fct_orders", "dim_customer"): 10,
        ("fct_order_lines", "fct_orders"): 1,
    }
    assert rows(
        warehouse, "SELECT table_name, other_table, rows_without FROM ops.publication_references ORDER BY 1"
    ) == [("fct_order_lines", "fct_orders", 1), ("fct_orders", "dim_customer", 10)]
    indexes = rows(
        warehouse,
        "SELECT regexp_replace(indexdef, '.* USING', '') FROM pg_indexes WHERE schemaname = 'marts_data' ORDER BY indexdef",
        "postgres",
    )
    assert [index.strip() for (index,) in indexes] == [
        "btree (order_id)", "btree (customer_id)", "btree (customer_id)", "btree (order_line_id)", "btree (order_id)",
    ]  # fmt: skip
    assert rows(warehouse, "SELECT obj_description('marts.fct_orders'::regclass)") == [("One row per order.",)]
    assert rows(warehouse, "SELECT col_description('marts.fct_orders'::regclass, 2)") == [
        ("Who ordered. References dim_customer.customer_id.",)
    ]
    assert rows(warehouse, "SELECT reltuples FROM pg_class WHERE relname = 'fct_orders__0'") == [(20,)]


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


def test_what_spark_wrote_arrives_as_spark_shows_it(warehouse: Server) -> None:
    from lakehouse.delta.location import table_uri
    from lakehouse.delta.session import open_session

    table = things(
        NUMBER, Column("at", "timestamp", "A moment."), Column("money", "decimal(12,2)", "Exact."), Column("small", "tinyint", "Tiny."),
        Column("tags", "array<string>", "Words."), Column("place", "struct<city:string,zip:string>", "Where."),
    )  # fmt: skip
    with open_session() as spark:
        spark.sql(
            f"""CREATE TABLE delta.`{table_uri(table)}` USING delta
                TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = 'false') AS
                SELECT 1L AS number, timestamp'9999-12-31 23:59:59.999999' AS at, CAST(1.20 AS decimal(12,2)) AS money,
                       CAST(7 AS tinyint) AS small, array('a', 'b') AS tags, named_struct('city', 'Köln', 'zip', '1') AS place
                UNION ALL SELECT 2L, timestamp'1500-01-01 00:00:00', NULL, NULL, NULL, NULL"""
        )
        spark.sql(f"UPDATE delta.`{table_uri(table)}` SET money = 3.40 WHERE number = 2")
    report = publish(star.star(table), {"dim_thing": star.newest(table)}, "run")
    assert report.rows_loaded == 2
    with psycopg.connect(warehouse.url("analyst"), options="-c timezone=UTC") as connection:
        assert connection.execute("SELECT number, at::text, money, small, tags, place FROM marts.dim_thing ORDER BY number").fetchall() == [
            (1, "9999-12-31 23:59:59.999999+00", Decimal("1.20"), 7, ["a", "b"], {"city": "Köln", "zip": "1"}),
            (2, "1500-01-01 00:00:00+00", Decimal("3.40"), None, None, None),
        ]
