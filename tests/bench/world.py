"""The world at scale `large`: seconds and peak memory of generating two days beside one, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.figure import Figure

DAYS = """
import json, sys, time
from datetime import date
from infra.world import reports, web
from infra.world.company import Company
from infra.world.day import simulate
from infra.world.market.objects import objects
from infra.world.population import begin
company = Company(7, "large", int(sys.argv[2]), date(2026, 8, 24))
began, state, landed, count = time.process_time(), begin(company), 0, 0
for number in range(int(sys.argv[1])):
    day = simulate(company, state)
    events = web.receive(company, state, day)
    landed, count = landed + sum(map(len, events)), count + len(events)
    del events
    for made in (reports.objects(company, day), objects(company, state, day)):
        for key, body in made:
            landed, count = landed + len(body), count + 1
    state = day.after
    del day
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
print(json.dumps({"seconds": time.process_time() - began, "peak": peak, "bytes": landed, "objects": count}))
"""


def generated(days: int, customers: int) -> dict[str, float]:
    """Generate so many days and say what it took; bytes are landed and forgotten."""
    run = subprocess.run([sys.executable, "-c", DAYS, str(days), str(customers)], capture_output=True, text=True, check=True)
    return dict(json.loads(run.stdout))


def figures(customers: int = 200_000) -> Iterator[Figure]:
    """The peak must not grow with the days."""
    one, two = (generated(days, customers) for days in (1, 2))
    landed = f"{two['objects']:.0f} objects, {two['bytes'] / 1e6:.0f} MB landed in 2 days"
    yield Figure("world, large: peak of 2 days beside 1", 1.2, two["peak"] / one["peak"], "×", landed)
    yield Figure("world, large: peak memory", None, two["peak"], "MB", f"1 day: {one['peak']:.0f} MB")
    yield Figure("world, large: a further day", None, two["seconds"] - one["seconds"], "CPU-s", f"first day: {one['seconds']:.0f} CPU-s")


if __name__ == "__main__":
    for figure in figures(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000):
        print(f"{figure.what}: {figure.value:.2f} {figure.unit} {figure.verdict} ({figure.how})")
