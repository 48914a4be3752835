"""The command line on a real stack: land, run, show, ask, hold back, publish, as a person does it in a shell."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse import storage
from lakehouse.settings import Settings, settings
from tests.cli.lakehouse_command import lakehouse
from tests.graph.package import sql_table, write
from tests.warehouse.server import Server, own_warehouse

pytestmark = pytest.mark.integration

HEADER = "order_id,customer,total,ordered_at\n"
COLUMNS = """
        Column("order_id", "string", "Number."), Column("customer", "string", "Who.", sensitivity="pseudonym"),
        Column("total", "decimal(12,2)", "Sum."{rule}), Column("ordered_at", "timestamp", "When."),
"""


def files(prefix: str, drop: str = "") -> dict[str, str]:
    """A path from dropped files to a fact; `drop` leaves a column out of the fact."""
    kept = [c for c in ("order_id", "customer", "total", "ordered_at") if c != drop]
    types = {"order_id": "string", "customer": "string", "total": "decimal(12,2)", "ordered_at": "timestamp"}
    declared = ", ".join(f'Column("{c}", "{types[c]}", "As in orders.")' for c in kept)
    return {
        "bronze/file__orders.py": f"""
@table(source=Csv("{prefix}"), owner="tests", columns=[{COLUMNS.format(rule="")}])
def file__orders(landed: Landed):
    "Orders as dropped in."
    return landed
""",
        "silver/orders.py": f"""
@table(key="order_id", owner="tests", columns=[{COLUMNS.format(rule=', at_least(0, action="quarantine")')}])
def orders(file__orders: Snapshot) -> SQL:
    "One row per order."
    return "SELECT order_id, customer, total, ordered_at FROM file__orders"
""",
        "gold/fct_orders.py": f"""
@table(key="order_id", owner="tests", refresh="nightly", columns=[{declared}], checks=[rows_at_least(2)])
def fct_orders(orders: Snapshot) -> SQL:
    "Orders for analysis."
    return "SELECT {", ".join(kept)} FROM orders"
""",
    }


@pytest.fixture(scope="module")
def warehouse(stack: Settings) -> Iterator[Server]:
    with own_warehouse(stack) as server:
        yield server


@pytest.fixture(scope="module")
def prefix() -> str:
    return f"cli_{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def jobs(warehouse: Server, prefix: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tables, brought up to date from one dropped file with one bad value and one broken line."""
    folder = write(tmp_path_factory.mktemp("cli"), files(prefix))
    rows = "1,ann,10.00,2026-11-20T10:00:00Z\n2,bob,20.50,2026-11-20T11:00:00Z\n3,cid,-5.00,2026-11-20T12:00:00Z\n4,dee\n"
    storage.put(f"{settings().landing}/{prefix}/first.csv", (HEADER + rows).encode())
    before = lakehouse("plan", "--format", "json", jobs=folder)
    kinds = {s["table"]: (s["kind"], s["reason"]) for s in json.loads(before.stdout)["tables"]}
    assert kinds == {
        "file__orders": ("first build", "1 new objects in landing"), "orders": ("first build", "after file__orders"),
        "fct_orders": ("first build", "after orders"),
    }  # fmt: skip
    done = lakehouse("run", "fct_orders", "--with-upstream", jobs=folder)
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["file__orders", "orders", "fct_orders"]
    return folder


def test_a_run_again_is_up_to_date_and_says_so(jobs: Path) -> None:
    done = lakehouse("run", "orders", "--format", "json", jobs=jobs)
    assert done.returncode == 0 and json.loads(done.stdout)["state"] == "up to date"
    assert "0 of 3 tables would be run." in lakehouse("plan", jobs=jobs).stdout


def test_the_lake_answers_by_name_and_hides_what_is_the_engines(jobs: Path) -> None:
    sql = "WITH big AS (SELECT * FROM orders WHERE total > 15) SELECT * FROM big JOIN (SELECT count(*) AS n FROM fct_orders) ON true"
    done = lakehouse("query", "--lake", sql, "--format", "json", jobs=jobs)
    (row,) = json.loads(done.stdout)
    assert row == {"order_id": "2", "customer": "bob", "total": 20.5, "ordered_at": "2026-11-20T11:00:00", "n": 2}


def test_what_the_lake_does_not_hold_or_do_is_refused(jobs: Path) -> None:
    for sql, part in (
        ("SELECT * FROM ordrs", "'ordrs' is no table of the lake. Did you mean 'orders'?"),
        ("SELECT nothing FROM orders", "Spark refuses the query"),
        ("DROP TABLE orders", "must be one SELECT"),
    ):
        done = lakehouse("query", "--lake", sql, jobs=jobs)
        assert (done.returncode, done.stdout) == (1, "") and part in done.stderr and "Traceback" not in done.stderr


def test_rows_held_back_are_listed_with_their_reasons(jobs: Path) -> None:
    listed = json.loads(lakehouse("quarantine", "list", "--format", "json", jobs=jobs).stdout)
    assert [(r["table"], r["reason"], r["rows"]) for r in listed] == [
        ("file__orders", "too few fields: 2, the header has 4", 1), ("orders", "total: at_least(0)", 1),
    ]  # fmt: skip
    (row,) = json.loads(lakehouse("quarantine", "show", "file__orders", "--format", "json", jobs=jobs).stdout)
    assert (row["line"], row["row"], row["published"]) == (5, "4,dee", True) and row["source_file"].endswith("first.csv")
    assert lakehouse("quarantine", "show", "fct_orders", "--format", "json", jobs=jobs).stdout == "[]\n"


def test_a_table_shows_its_version_inputs_runs_and_rows(jobs: Path) -> None:
    facts = json.loads(lakehouse("show", "fct_orders", "--format", "json", jobs=jobs).stdout)
    assert facts["unknown"] == [] and facts["state"]["rows"] == 2 and facts["state"]["code"] == "as declared"
    assert set(facts["state"]["inputs"]) == {"orders"} and facts["runs"][0]["state"] == "published"
    assert sorted(r[0] for r in facts["sample"]["rows"]) == ["1", "2"]
    text = lakehouse("show", "orders", jobs=jobs)
    assert text.returncode == 0 and "score 100.00%" in text.stdout and "made from file__orders version" in text.stdout


def test_what_is_published_is_what_analysts_get(jobs: Path) -> None:
    first = lakehouse("publish", jobs=jobs)
    assert first.returncode == 0 and "There is no cut of the nightly DAG yet" in first.stderr and "fct_orders" in first.stdout
    again = json.loads(lakehouse("publish", "--newest", "--format", "json", jobs=jobs).stdout)
    assert again["state"] == "up to date"
    done = lakehouse("query", "SELECT order_id, total FROM marts.fct_orders ORDER BY 1", "--format", "csv", jobs=jobs)
    assert list(csv.reader(io.StringIO(done.stdout))) == [["order_id", "total"], ["1", "10.00"], ["2", "20.50"]]
    one = lakehouse("query", "-", "--limit", "1", jobs=jobs, stdin="SELECT order_id FROM marts.fct_orders ORDER BY 1")
    assert "There are more than these 1 rows" in one.stderr and "2" not in one.stdout
    refused = lakehouse("query", "SELECT * FROM marts.fct_order", jobs=jobs)
    assert (refused.returncode, refused.stdout) == (1, "") and "does not exist" in refused.stderr


def test_the_plan_tells_new_files_changed_code_and_lost_columns(jobs: Path, prefix: str, tmp_path: Path) -> None:
    changed = write(tmp_path, files(prefix, drop="customer"))
    done = json.loads(lakehouse("plan", "--format", "json", jobs=changed).stdout)
    step = next(s for s in done["tables"] if s["table"] == "fct_orders")
    assert (step["kind"], step["reason"], step["columns_removed"]) == ("full", "the code changed", ["customer"])
    (changed / "gold/fct_orders.py").unlink()
    assert json.loads(lakehouse("plan", "--format", "json", jobs=changed).stdout)["undeclared"] == ["gold/fct_orders"]
    storage.put(f"{settings().landing}/{prefix}/second.csv", (HEADER + "9,eve,1.00,2026-11-21T10:00:00Z\n").encode())
    lines = lakehouse("plan", jobs=jobs).stdout.splitlines()
    assert lines == [
        "~ file__orders: append (1 new objects in landing)", "~ orders: follows (file__orders will move)",
        "~ fct_orders: follows (orders will move)", "3 of 3 tables would be run.",
    ]  # fmt: skip


def test_a_rule_that_stops_a_run_ends_it_with_the_rule_and_exit_code_1(jobs: Path, prefix: str, tmp_path: Path) -> None:
    strict = files(prefix)
    strict["gold/fct_orders.py"] = strict["gold/fct_orders.py"].replace("rows_at_least(2)", "rows_at_least(1000)")
    folder = write(tmp_path, strict)
    done = lakehouse("run", "fct_orders", "--full", jobs=folder)
    assert (done.returncode, done.stdout) == (1, "") and "rows_at_least(1000)" in done.stderr and "Traceback" not in done.stderr
    facts = json.loads(lakehouse("show", "fct_orders", "--format", "json", jobs=jobs).stdout)
    assert facts["runs"][0]["state"] == "stopped" and facts["state"]["rows"] == 2


def test_a_new_file_is_a_view_in_the_warehouse_and_nothing_else_moves(jobs: Path, prefix: str, tmp_path: Path) -> None:
    assert lakehouse("publish", "--newest", jobs=jobs).returncode == 0
    more = write(tmp_path, files(prefix))
    added = sql_table("SELECT order_id FROM orders", name="fct_new").replace('"commerce"', '"tests"')
    write(tmp_path, {"gold/fct_new.py": added})
    assert lakehouse("run", "fct_new", jobs=more).returncode == 0
    done = json.loads(lakehouse("publish", "--newest", "--format", "json", jobs=more).stdout)
    assert {t["table"]: t["loaded"] for t in done["tables"]} == {"fct_new": True, "fct_orders": False}
    shown = (
        "SELECT table_name, obj_description(('marts.' || table_name)::regclass) AS says "
        "FROM information_schema.views WHERE table_schema = 'marts'"
    )
    views = json.loads(lakehouse("query", shown, "--format", "json", jobs=more).stdout)
    assert {v["table_name"]: v["says"] for v in views} == {"fct_new": "New.", "fct_orders": "Orders for analysis."}
    assert lakehouse("publish", "--newest", jobs=jobs).returncode == 0  # without its file it goes again
    views = json.loads(lakehouse("query", shown, "--format", "json", jobs=more).stdout)
    assert [v["table_name"] for v in views] == ["fct_orders"]
