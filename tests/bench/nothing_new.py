"""What it costs to find out that nothing has to be done."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from tests.bench.figure import Figure
from tests.bench.lake import Lake

COPY = '''
from lakehouse.declare import SQL, Changes, Column, table


@table(key="order_id", owner="bench", columns=[Column("order_id", "string", "Key."), Column("total", "decimal(12,2)", "Money.")])
def orders_{n}(orders: Changes) -> SQL:
    """A copy of two columns."""
    return SQL("SELECT order_id, total FROM orders")
'''


def figures(lake: Lake) -> Iterator[Figure]:
    """Twenty tables that are up to date, looked at one after the other."""
    names = [f"orders_{n}" for n in range(18)]
    for n, name in enumerate(names):
        lake.write("silver", name, COPY.format(n=n))
    lake.batch([lake.order(n, f"O{n}") for n in range(1, 50)])
    all_names = ["shop__orders", "orders", *names]
    for name in all_names:
        lake.run(name)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        reports = [lake.run(name) for name in all_names]
        times.append(time.perf_counter() - started)
        assert {r.state for r in reports} == {"up to date"}
    warm = statistics.median(times[1:])
    yield Figure("nothing-new check of 20 tables, warm", 1.0, warm, "s", f"first {times[0]:.2f} s, median of four more")
