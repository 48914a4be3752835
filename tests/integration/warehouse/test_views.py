"""Views follow the declarations: columns, types, comments, keys, and who may see what."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest

from lakehouse.declare import Column
from lakehouse.warehouse import publish, query
from lakehouse.warehouse.switch import ViewInUse
from tests.warehouse import star
from tests.warehouse.server import Server
from tests.warehouse.showing import NAME, NUMBER, rows, show, things
from tests.warehouse.star import DIM_CUSTOMER, FCT_ORDER_LINES, FCT_ORDERS, write

pytestmark = pytest.mark.integration


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
