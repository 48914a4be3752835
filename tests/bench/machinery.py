"""CPU-seconds a table costs beyond its data, against one `spark-submit` a table; both on tiny tables."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from lakehouse.settings import settings
from tests.bench import cpu
from tests.bench.figure import Figure
from tests.bench.lake import Lake

WARM, ROUNDS = 15, 5
"""The server lives for weeks and has its code compiled after its first hourly run of about 20 tables."""
RUN = """
import sys
from pathlib import Path
from lakehouse.graph import load
from lakehouse.run import run_table
print(run_table(load(Path(sys.argv[1])), sys.argv[2], record=False))
"""
SUBMIT = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
source, target = sys.argv[1:3]
rows = spark.read.format("delta").load(source).groupBy("order_id").agg({"total": "max", "customer_id": "max", "status": "max"})
rows.toDF("order_id", "total", "customer_id", "status").write.format("delta").mode("overwrite").save(target)
"""


def figures(lake: Lake) -> Iterator[Figure]:
    """Change a few rows, run the silver table in a process of its own, as an Airflow task does; then submit the same."""
    from lakehouse.delta.location import table_uri

    lake.batch([lake.order(n, f"O{n}") for n in range(1, 200)])
    lake.run("shop__orders")
    lake.run("orders")
    ours = []
    for turn in range(WARM + ROUNDS):
        lake.batch([lake.order(1000 + turn * 10 + n, f"O{n}", total=turn) for n in range(5)])
        lake.run("shop__orders")
        before = cpu.of_children() + cpu.of_server()
        subprocess.run([sys.executable, "-c", RUN, str(lake.jobs), "orders"], check=True, capture_output=True, env=cpu.environment())
        ours.append(cpu.of_children() + cpu.of_server() - before)
    theirs = [_submit(lake, table_uri(lake.graph["shop__orders"])) for _ in range(2)]
    first, mine, other = median(ours[:ROUNDS]), median(ours[WARM:]), min(theirs)
    yield Figure(
        "machinery of a table / one spark-submit", 0.2, mine / other, "ratio",
        f"{mine:.1f} CPU-s (client and server, median of {ROUNDS} after {WARM}; the first {ROUNDS} on a new server: {first:.1f}) "
        f"/ {other:.1f} CPU-s (better of 2)",
    )  # fmt: skip


def _submit(lake: Lake, source: str) -> float:
    """CPU-seconds of one spark-submit with the server's own configuration."""
    import pyspark

    script = Path(lake.folder, "submit.py")
    script.write_text(textwrap.dedent(SUBMIT), encoding="utf-8")
    conf, home = str(settings().home / "spark" / "conf"), Path(pyspark.__file__).parent
    environment = cpu.environment(
        SPARK_HOME=str(home), SPARK_CONF_DIR=conf, HADOOP_CONF_DIR=conf, PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1"
    )
    environment.pop("SPARK_CONNECT_MODE_ENABLED", None)
    before = cpu.of_children()
    command = [str(home / "bin" / "spark-submit"), str(script), source, f"{lake.uri}/submitted"]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return cpu.of_children() - before
