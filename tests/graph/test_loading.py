"""Loading a package: files found, read anew when edited, and nothing left behind by another package of that name."""

import subprocess
import sys

import pytest

from lakehouse.graph import GraphError, UnknownTable, load

from .package import CUSTOMERS, FCT_ORDERS, STANDING, sql_table, write


@pytest.fixture
def jobs(tmp_path):
    return write(tmp_path, STANDING)


def test_tables_take_name_layer_inputs_and_description_from_their_file(jobs):
    graph = load(jobs)
    assert list(graph.tables) == ["customers", "fct_orders", "orders", "shop__orders"]
    table = graph["fct_orders"]
    assert (table.layer, table.description, table.refresh) == ("gold", "Orders for analysis.", "nightly")
    assert [(i.name, i.mode) for i in table.inputs] == [("orders", "snapshot")]
    assert graph.upstream("fct_orders") == ("orders", "customers")
    assert table.where.endswith("jobs/gold/fct_orders.py:5")


def test_the_order_puts_inputs_and_references_first(jobs):
    order = load(jobs).order()
    assert order.index("shop__orders") < order.index("customers") < order.index("fct_orders")
    assert load(jobs).with_upstream("orders") == ("shop__orders", "orders")


def test_loading_twice_gives_the_same(jobs):
    assert load(jobs).tables.keys() == load(jobs).tables.keys() != set()


def test_a_new_and_an_edited_file_are_seen_by_a_process_that_lives_on(jobs, tmp_path):
    load(jobs)
    write(tmp_path, {"gold/fct_more.py": sql_table("SELECT order_id FROM orders", name="fct_more")})
    assert "fct_more" in load(jobs).tables
    write(tmp_path, {"silver/customers.py": CUSTOMERS.replace('owner="crm"', 'owner="service desk"')})
    assert load(jobs)["customers"].owner == "service desk"
    (jobs / "gold/fct_more.py").unlink()
    assert "fct_more" not in load(jobs).tables


def test_two_packages_of_one_name_do_not_mix(tmp_path):
    one, two = write(tmp_path / "one", STANDING), write(tmp_path / "two", {**STANDING, "gold/fct_orders.py": FCT_ORDERS})
    write(tmp_path / "two", {"silver/customers.py": CUSTOMERS.replace('"crm"', '"other"')})
    assert [load(p)["customers"].owner for p in (one, two, one)] == ["crm", "other", "crm"]


def test_an_unknown_table_is_answered_with_the_nearest(jobs):
    with pytest.raises(UnknownTable, match=r"'ordres' is no table\. Did you mean 'orders'\?"):
        load(jobs)["ordres"]


def test_a_package_that_is_nowhere_is_refused_with_the_way_out():
    with pytest.raises(GraphError, match=r"'no_such_jobs' is no package to be found from .* or set LAKEHOUSE_JOBS"):
        load("no_such_jobs")


def test_a_file_without_a_declaration_and_hidden_folders_are_no_tables(jobs, tmp_path):
    write(tmp_path, {"silver/rates.py": "RATE = 1\n"})
    assert len(load(jobs).tables) == 4


def test_all_problems_are_told_at_once(jobs, tmp_path):
    write(tmp_path, {
        "gold/fct_one.py": sql_table("SELECT order_id FROM orders", "ordrs: Snapshot", "fct_one"),
        "gold/fct_two.py": "import nothing_of_that_name\n",
        "gold/fct_three.py": "def broken(:\n",
    })  # fmt: skip
    with pytest.raises(GraphError) as refused:
        load(jobs)
    told = str(refused.value)
    assert told.startswith("5 problems in ") or told.startswith("4 problems in ")
    for part in ("Did you mean 'orders'?", "No module named 'nothing_of_that_name'", "SyntaxError", "fct_three.py:4"):
        assert part in told


def test_a_thousand_tables_load_without_anything_heavy(tmp_path):
    files = {"bronze/shop__orders.py": STANDING["bronze/shop__orders.py"], "silver/orders.py": STANDING["silver/orders.py"]}
    for n in range(998):
        before = "orders" if n < 10 else f"fct_t{n - 10}"
        files[f"gold/fct_t{n}.py"] = sql_table(f"SELECT order_id FROM {before}", f"{before}: Snapshot", f"fct_t{n}")
    jobs = write(tmp_path, files)
    program = (
        "import sys; from pathlib import Path; from lakehouse.graph import load\n"
        f"graph = load(Path({str(jobs)!r})); print(len(graph.order()))\n"
        "print([m for m in ('pandas', 'pyarrow', 'grpc', 'numpy', 'airflow', 'pyspark') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["1000", "[]"]


def test_an_edited_file_is_seen_by_the_files_that_import_from_it(jobs, tmp_path):
    reading = "from ..silver.rates import OWNER\n" + sql_table("SELECT order_id FROM orders").replace('"commerce"', "OWNER")
    write(tmp_path, {"silver/rates.py": "OWNER = 'one'\n", "gold/fct_new.py": reading})
    assert load(jobs)["fct_new"].owner == "one"
    write(tmp_path, {"silver/rates.py": "OWNER = 'another'\n"})
    assert load(jobs)["fct_new"].owner == "another"
