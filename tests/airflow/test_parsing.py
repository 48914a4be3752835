"""DAG files are parsed all the time, by several processes: that must stay light and quick."""

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
HEAVY = ["boto3", "deltalake", "grpc", "mlflow", "numpy", "pandas", "psycopg", "pyarrow", "pymc", "pyspark.sql.connect", "scipy", "sklearn"]


def alone(code: str, *arguments: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "LAKEHOUSE_HOME": "/nonexistent"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_parsing_the_dag_files_imports_nothing_heavy_and_needs_no_stack():
    code = f"""
import json, sys
import dags.hourly, dags.nightly, dags.weekly, dags.maintenance
print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))
"""
    assert alone(code) == []


def test_a_dag_file_is_about_ten_lines():
    for file in (REPOSITORY / "dags").glob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 14, file.name


def test_a_graph_of_a_thousand_tables_is_parsed_within_three_seconds(tmp_path):
    jobs = tmp_path / "manyjobs"
    for layer, refresh, rows in (("bronze", "hourly", 200), ("silver", "hourly", 400), ("gold", "nightly", 400)):
        (jobs / layer).mkdir(parents=True)
        for number in range(rows):
            (jobs / layer / f"{named(layer, number)}.py").write_text(declaration(layer, refresh, number), encoding="utf-8")
    code = """
import json, sys, time
import airflow.sdk
from airflow.sdk import DAG, Asset, BaseOperator, BaseOperatorLink, BaseSensorOperator, CronPartitionTimetable, TaskGroup
from pathlib import Path
from pyspark.sql import DataFrame, functions
started = time.process_time()
from lakehouse.graph import load
from plugins.lakehouse_airflow import dag_of, every_day, every_hour
graph = load(Path(sys.argv[1]))
loaded = time.process_time() - started
hourly = dag_of(graph, "hourly", schedule=every_hour(5), text="Every hour.", lands=True)
nightly = dag_of(graph, "nightly", schedule=every_day("02:15"), text="Every night.", waits_for="hourly", publishes=True)
print(json.dumps([len(hourly.tasks) + len(nightly.tasks), loaded, time.process_time() - started]))
"""
    tasks, loaded, seconds = alone(code, str(jobs))
    print(f"1,000 tables: graph {loaded:.2f} s, with both DAGs {seconds:.2f} s of CPU (goal 3.00)")
    assert tasks > 1000
    assert seconds <= 3.0


def named(layer: str, number: int) -> str:
    return {"bronze": f"source_{number % 20}__{layer}_{number}", "silver": f"silver_{number}", "gold": f"fct_gold_{number}"}[layer]


def declaration(layer: str, refresh: str, number: int) -> str:
    name = named(layer, number)
    columns = ", ".join(f'Column("column_{n}", "string", "Meaning of column {n}.", not_null())' for n in range(8))
    if layer == "bronze":
        head, inputs = f'source=JsonLines("source_{number % 20}/{name}", period="hour"), ', "landed: Landed"
    else:
        below = "bronze" if layer == "silver" else "silver"
        head = 'key="column_0", '
        inputs = ", ".join(f"{named(below, (number * 7 + n) % 200)}: Snapshot" for n in range(3))
    return f'''
from lakehouse.declare import Column, JsonLines, Landed, Snapshot, not_null, table
from pyspark.sql import DataFrame

@table({head}owner="team", refresh="{refresh}", columns=[{columns}])
def {name}({inputs}) -> DataFrame:
    """What a row of {name} is."""
    return {inputs.split(":")[0]}
'''


def test_airflow_finds_every_dag_file():
    from airflow.utils.file import might_contain_dag

    for file in (REPOSITORY / "dags").glob("[!_]*.py"):
        assert might_contain_dag(str(file), safe_mode=True), file.name
