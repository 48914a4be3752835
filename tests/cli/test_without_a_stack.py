"""Commands that need nothing running, and how every command fails."""

import json
import subprocess
import sys

import pytest

from lakehouse.settings import REPOSITORY
from tests.cli.lakehouse_command import lakehouse, lakehouse_here
from tests.graph.package import STANDING, sql_table, write


@pytest.fixture
def jobs(tmp_path):
    return write(tmp_path, STANDING)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "no stack here"


def test_the_graph_is_a_tree_by_layer_in_the_order_of_runs(jobs, home):
    done = lakehouse_here("graph", jobs=jobs, home=home)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line for line in lines if line[0] not in "├└"] == ["bronze", "silver", "gold"]
    assert lines[1].startswith("└─ shop__orders") and lines[1].endswith("← landing shop/orders")
    assert "← orders (snapshot), customers (looked up)" in done.stdout


def test_the_graph_of_one_table_is_what_it_rests_on_and_what_rests_on_it(jobs, home, tmp_path):
    write(tmp_path, {"gold/fct_new.py": sql_table("SELECT order_id FROM customers", "customers: Snapshot")})
    done = lakehouse_here("graph", "orders", "--format", "json", jobs=jobs, home=home)
    assert [t["name"] for t in json.loads(done.stdout)["tables"]] == ["shop__orders", "orders", "fct_orders"]


def test_the_graph_as_json_holds_what_is_declared(jobs, home):
    done = lakehouse_here("graph", "--format", "json", jobs=jobs, home=home)
    whole = json.loads(done.stdout)
    assert whole["order"].index("shop__orders") == 0 and set(whole["order"]) == {t["name"] for t in whole["tables"]}
    orders = next(t for t in whole["tables"] if t["name"] == "orders")
    assert orders["inputs"] == [{"name": "shop__orders", "mode": "changes", "groups": []}]
    assert orders["columns"][0]["type"] == "string" and orders["file"].endswith("silver/orders.py")


def test_the_graph_as_mermaid_draws_inputs_and_look_ups_apart(jobs, home):
    drawn = lakehouse_here("graph", "--format", "mermaid", jobs=jobs, home=home).stdout.splitlines()
    assert drawn[0] == "flowchart LR"
    assert "  orders --> fct_orders" in drawn and "  customers -.-> fct_orders" in drawn


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (["graph", "ordres"], 2, ["'ordres' is no table. Did you mean 'orders'?"]),
        (["run", "ordres"], 2, ["Did you mean 'orders'?"]),
        (["run", "orders", "--as-of", "2026-11-21"], 2, ["orders takes no as_of", "Leave --as-of out"]),
        (["run", "orders", "--as-of", "yesterday"], 2, ["yesterday", "%Y-%m-%d"]),
        (["run"], 2, ["Missing argument"]),
        (["train", "orders"], 2, ["'orders' is a table, not a model", "lakehouse run orders"]),
        (["no-such-command"], 2, ["No such command"]),
        (["graph", "--format", "png"], 2, ["'tree', 'json', 'mermaid'"]),
        (["run", "orders"], 1, ["LAKEHOUSE_S3_ENDPOINT: field required", "`make up`"]),
        (["query", "SELECT 1"], 1, ["LAKEHOUSE_READER_URL: field required"]),
        (["plan"], 1, ["addresses are incomplete"]),
        (["publish"], 1, ["addresses are incomplete"]),
        (["quarantine", "list"], 1, ["addresses are incomplete"]),
    ],
)
def test_a_command_that_cannot_be_done_says_why_on_stderr_alone(jobs, home, words, code, parts):
    done = lakehouse_here(*words, jobs=jobs, home=home)
    assert (done.returncode, done.stdout) == (code, ""), done
    assert all(part in done.stderr for part in parts) and "Traceback" not in done.stderr


def test_a_graph_that_does_not_stand_is_refused_by_every_command_with_file_and_line(jobs, home, tmp_path):
    write(tmp_path, {"gold/fct_new.py": sql_table("SELECT order_id FROM ordres", "ordres: Snapshot")})
    done = lakehouse_here("graph", jobs=jobs, home=home)
    assert done.returncode == 1 and "parameter 'ordres' is no table. Did you mean 'orders'?" in done.stderr
    assert "fct_new.py:5" in done.stderr and "Traceback" not in done.stderr


def test_what_is_declared_is_shown_where_nothing_runs_and_what_is_not_known_is_said(jobs, home):
    done = lakehouse_here("show", "orders", "--format", "json", jobs=jobs, home=home)
    facts = json.loads(done.stdout)
    assert facts["key"] == ["order_id"] and facts["state"] is None and "make up" in facts["unknown"][0]
    text = lakehouse_here("show", "orders", jobs=jobs, home=home).stdout
    assert "decimal(12,2)" in text and "reads shop__orders (changes); read by fct_orders" in text


def test_a_stack_that_does_not_answer_is_named_without_a_traceback(jobs, home):
    nowhere = dict.fromkeys(("LAKEHOUSE_S3_ENDPOINT", "LAKEHOUSE_MLFLOW_URL"), "http://127.0.0.1:9")
    nowhere |= dict.fromkeys(
        ("LAKEHOUSE_WAREHOUSE_URL", "LAKEHOUSE_READER_URL", "LAKEHOUSE_SHOP_URL"), "postgresql://nobody@127.0.0.1:9/none"
    )
    nowhere |= {"LAKEHOUSE_SPARK_URL": "sc://127.0.0.1:9", "LAKEHOUSE_S3_ACCESS_KEY": "a", "LAKEHOUSE_S3_SECRET_KEY": "secret-b"}
    for words in (["plan"], ["query", "SELECT 1"]):
        done = lakehouse_here(*words, jobs=jobs, home=home, **nowhere)
        assert done.returncode == 1 and done.stdout == "" and "127.0.0.1:9" in done.stderr.replace(" port ", ":")
        assert "Traceback" not in done.stderr and "secret-b" not in done.stderr


def test_a_shell_gets_the_answer_the_error_and_the_code_apart(jobs):
    done = lakehouse("graph", jobs=jobs)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("bronze\n")
    failed = lakehouse("graph", "ordres", jobs=jobs)
    assert (failed.returncode, failed.stdout) == (2, "") and failed.stderr == "'ordres' is no table. Did you mean 'orders'?\n"


def test_help_and_graph_import_nothing_heavy():
    program = (
        "import sys; sys.argv = ['lakehouse', '{words}']\n"
        "from lakehouse.cli import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "heavy = {{'pandas', 'pyarrow', 'grpc', 'numpy', 'mlflow', 'sklearn', 'airflow', 'boto3', 'psycopg', {more}}}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    for words, more in (("--help", "'sqlglot', 'pyspark', 'rich', 'pydantic'"), ("graph", "'pydantic'")):
        ran = subprocess.run(
            [sys.executable, "-c", program.format(words=words, more=more)],
            capture_output=True, text=True, check=True, cwd=REPOSITORY,
        )  # fmt: skip
        assert ran.stdout.splitlines()[-1] == "heavy: []"
