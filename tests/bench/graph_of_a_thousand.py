"""Reading a graph of 1,000 tables: seconds and memory of a fresh process."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import cpu
from tests.bench.figure import Figure

TABLE = '''
from lakehouse.declare import SQL, Changes, Column, table


@table(key="order_id", owner="bench", columns=[Column("order_id", "string", "Key."), Column("total", "decimal(12,2)", "Money.")])
def things_{n}({read}) -> SQL:
    """Table number {n}."""
    return SQL("SELECT order_id, total FROM {source}")
'''


def figures(folder: Path) -> Iterator[Figure]:
    """Load the graph in a fresh process, and the same process without the graph."""
    jobs = folder / "thousand"
    (jobs / "silver").mkdir(parents=True)
    (jobs / "__init__.py").touch()
    (jobs / "silver" / "__init__.py").touch()
    first = TABLE.format(n=0, read="", source="VALUES ('a', CAST(1 AS decimal(12,2))) AS t(order_id, total)")
    (jobs / "silver" / "things_0.py").write_text(first, encoding="utf-8")
    for n in range(1, 1000):
        source = f"things_{(n - 1) // 3}"
        (jobs / "silver" / f"things_{n}.py").write_text(TABLE.format(n=n, read=f"{source}: Changes", source=source), encoding="utf-8")
    load = f"from pathlib import Path; from lakehouse.graph import load; assert len(load(Path({str(jobs)!r})).order()) == 1000"
    times = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", load], check=True, env=cpu.environment())
        times.append(time.perf_counter() - started)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    yield Figure("parse a graph of 1,000 tables", 3.0, min(times), "s", f"fresh process, best of 3; children's peak memory {memory:.0f} MB")
