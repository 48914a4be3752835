"""What reading a delimited file costs, in a process of its own, beside plain pandas; and what narrow types save."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tests.bench import cpu
from tests.bench.figure import Figure

COLUMNS = 20
ROWS = 100_000
IMPORTS = """
import json, resource, sys, time
import pyarrow, pyarrow.compute, pyarrow.parquet, pandas
from lakehouse.declare import Csv
from lakehouse.sources.narrow import narrowed
from lakehouse.sources.read import read_object
path, names = sys.argv[1], tuple(f"c{n}" for n in range(int(sys.argv[2])))
def batches():
    return read_object(Csv("x"), names, lambda: open(path, "rb"), path)
began, used, rows, more = time.perf_counter(), time.process_time(), 0, {}
"""
ENDS = """
cpu, wall = time.process_time() - used, time.perf_counter() - began
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
print(json.dumps({"cpu": cpu, "wall": wall, "peak": peak, "rows": rows, **more}))
"""
WORK = {
    "imports": "",
    "read": """
writer = pyarrow.parquet.ParquetWriter(path + ".parquet", next(iter(batches())).schema, compression="zstd")
for batch in batches():
    rows += batch.num_rows
    writer.write_batch(batch)
writer.close()
""",
    "streamed": """
for batch in batches():
    rows += batch.num_rows
""",
    "narrowed": """
found = narrowed(batches, names)
rows, more = sum(len(c) for c in found.chunks[0]), {"text": found.text_bytes, "narrow": found.bytes}
""",
    "pandas": """
frame = pandas.read_csv(path)
rows, more = len(frame), {"bytes": int(frame.memory_usage(deep=True).sum())}
""",
}


def mixed(path: Path, rows: int) -> Path:
    """A file of 20 mixed columns: numbers, money, days, times, flags, words that repeat, free text in quotes, gaps."""
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(f"c{n}" for n in range(COLUMNS)) + "\n")
        block = "".join(_lines(min(rows, ROWS)))
        for _ in range(rows // ROWS):
            file.write(block)
        file.writelines(islice(_lines(rows), rows % ROWS))
    return path


def _lines(rows: int) -> Iterator[str]:
    draw = random.Random(1)
    for n in range(rows):
        yield (
            f"{n},C{draw.randrange(5000)},2026-01-{draw.randrange(1, 29):02d},2026-01-{draw.randrange(1, 29):02d}T10:11:12Z,"
            f"{draw.random() * 1000:.2f},{draw.randrange(100)},DE,{'true' if draw.random() < 0.5 else 'false'},google,paid_search,"
            f'"Text, with {draw.randrange(1000)}",{draw.randrange(10**9)},{draw.random():.6f},mail{n}@example.com,,{draw.randrange(3)},'
            f"x{draw.randrange(20)},EUR,{draw.randrange(5)},note {draw.randrange(100)}\n"
        )


def measured(what: str, path: Path) -> dict[str, float]:
    """CPU-seconds, seconds on the clock and peak memory (MB) of one piece of work in a fresh process of one thread."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS + WORK[what] + ENDS, str(path), str(COLUMNS)], check=True, capture_output=True, text=True,
        env=cpu.environment(OMP_NUM_THREADS="1", ARROW_DEFAULT_MEMORY_POOL="system", MALLOC_ARENA_MAX="1"),
    )  # fmt: skip
    return dict(json.loads(done.stdout))


def peaks(folder: Path, rows: tuple[int, ...]) -> list[float]:
    """Peak memory (MB) above the imports for files of several lengths, handed on batch by batch as Spark's workers do with large ones."""
    base = measured("imports", mixed(folder / "none.csv", 1))["peak"]
    found = []
    for count in rows:
        path = mixed(folder / "rows.csv", count)
        figure = measured("streamed", path)
        assert figure["rows"] == count
        found.append(figure["peak"] - base)
        path.unlink()
    return found


def figures(folder: Path) -> Iterator[Figure]:
    """100,000 rows of 20 mixed columns."""
    path = mixed(folder / "mixed.csv", ROWS)
    best = {what: min((measured(what, path) for _ in range(3)), key=lambda f: f["cpu"]) for what in WORK}
    base = best["imports"]["peak"]
    beside = best["pandas"]
    yield Figure("100,000 CSV rows of 20 columns, read strictly and written", 3.0, best["read"]["cpu"], "CPU-s",
                 f"best of 3; {best['read']['wall']:.2f} s on the clock; pandas.read_csv {beside['cpu']:.2f} CPU-s, "
                 f"{beside['wall']:.2f} s on the clock")  # fmt: skip
    yield Figure("the same, peak memory beyond imports", 50.0, best["read"]["peak"] - base, "MB", f"pandas {beside['peak'] - base:.0f} MB")
    narrow = best["narrowed"]
    yield Figure("the same in narrow types, in memory", None, narrow["narrow"] / 1e6, "MB",
                 f"as text {narrow['text'] / 1e6:.1f} MB (saved {1 - narrow['narrow'] / narrow['text']:.0%}), "
                 f"pandas {beside['bytes'] / 1e6:.1f} MB (saved {1 - narrow['narrow'] / beside['bytes']:.0%}); "
                 f"{narrow['cpu']:.2f} CPU-s, peak {narrow['peak'] - base:.0f} MB")  # fmt: skip
