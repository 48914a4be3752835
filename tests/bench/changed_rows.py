"""1 % changed rows of a fact of ten million against its full rebuild: keys spread over the table, and recent ones."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lakehouse.delta.location import table_uri
from lakehouse.delta.session import open_session
from tests.bench import cpu
from tests.bench.figure import Figure
from tests.bench.lake import Lake

ROWS = int(os.environ.get("LAKEHOUSE_BENCH_ROWS", "10000000"))
COLUMNS = """columns=[
        Column("line_id", "bigint", "Key."), Column("order_id", "bigint", "Order."), Column("product_id", "string", "Article."),
        Column("quantity", "int", "Pieces."), Column("amount", "decimal(12,2)", "Money."), Column("sold_at", "timestamp", "When."),
    ]"""
BASE = f'''
from lakehouse.declare import SQL, Column, table


@table(
    key="line_id", owner="bench",
    {COLUMNS},
)
def lines() -> SQL:
    """Ten million order lines, in order of time."""
    return SQL("""SELECT id AS line_id, id DIV 3 AS order_id, concat('P', id % 997) AS product_id, CAST(id % 7 + 1 AS int) AS quantity,
        CAST(id % 9973 / 100 AS decimal(12,2)) AS amount, timestamp_seconds(1700000000 + id) AS sold_at FROM range({ROWS})""")
'''
FACT = f'''
from lakehouse.declare import SQL, Changes, Column, table


@table(
    key="line_id", owner="bench", refresh="nightly",
    {COLUMNS},
)
def fct_lines(lines: Changes) -> SQL:
    """The fact."""
    return SQL("SELECT line_id, order_id, upper(product_id) AS product_id, quantity, amount * 1 AS amount, sold_at FROM lines")
'''.replace("amount * 1 AS amount", "CAST(amount * 1.19 AS decimal(12,2)) AS amount")


def figures(lake: Lake) -> Iterator[Figure]:
    """Build, change 1 % by hand, run; then rebuild in full."""
    lake.write("silver", "lines", BASE)
    lake.write("gold", "fct_lines", FACT)
    lake.run("lines")
    lake.run("fct_lines")
    changes = {"recent": f"line_id >= {ROWS - ROWS // 100}", "spread": "line_id % 100 = 7"}
    costs = {}
    for name, where in changes.items():
        with open_session() as spark:
            spark.sql(f"UPDATE delta.`{table_uri(lake.graph['lines'])}` SET quantity = quantity + 1 WHERE {where}").collect()
        with cpu.measured() as cost:
            report = lake.run("fct_lines")
        costs[name] = cost
        assert report.rows_written == ROWS // 100, report
    with cpu.measured() as whole:
        lake.run("fct_lines", full=True)
    with open_session() as spark, cpu.measured() as rebuild:
        spark.sql(
            "SELECT line_id, order_id, upper(product_id) AS product_id, quantity, CAST(amount * 1.19 AS decimal(12,2)) AS amount, sold_at "
            f"FROM delta.`{table_uri(lake.graph['lines'])}`"
        ).write.format("delta").mode("overwrite").save(f"{lake.uri}/rebuilt")
    for name, goal in (("recent", 0.15), ("spread", None)):
        cost = costs[name]
        how = f"CPU; {cost} / {whole} of `run --full`, {ROWS:,} rows"
        yield Figure(f"1 % changed, keys {name} / full rebuild", goal, cost.cpu / whole.cpu, "ratio", how)
        bare = f"{cost} / {rebuild} of Spark's overwrite, without checks, difference or feed"
        yield Figure(f"1 % changed, keys {name} / bare overwrite", None, cost.cpu / rebuild.cpu, "ratio", bare)
