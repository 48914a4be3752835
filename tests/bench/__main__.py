"""`make bench [ARGS="machinery changed_rows"]`: every claim's goal beside its figure, on a stack of its own."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from lakehouse.settings import settings
from tests.bench import attribution, changed_rows, collector, cpu, customers, graph_of_a_thousand, machinery, nothing_new, reading, world
from tests.bench.figure import Figure
from tests.bench.lake import Lake
from tests.stacks import bench_stack


def _memory() -> Iterator[Figure]:
    yield Figure("memory of the light stack", 6.0, cpu.resident_gb(settings().home), "GB", "proportional, after the benchmarks")


def _publication() -> Iterator[Figure]:
    from tests.bench import publication

    yield from publication.figures()


def _media_mix() -> Iterator[Figure]:
    from tests.bench import media_mix

    yield from media_mix.figures()


def main(wanted: list[str]) -> int:
    """Run the benchmarks named, or all."""
    console = Console(width=200)
    with tempfile.TemporaryDirectory() as name, bench_stack(Path(name) / "stack"):
        folder = Path(name)

        def in_lake(module: Callable[[Lake], Iterator[Figure]], name: str) -> Iterator[Figure]:
            lake = Lake(folder, f"bench_{name}")
            try:
                yield from module(lake)
            finally:
                lake.close()

        benchmarks: dict[str, Callable[[], Iterator[Figure]]] = {
            "graph": lambda: graph_of_a_thousand.figures(folder),
            "reading": lambda: reading.figures(folder),
            "nothing_new": lambda: in_lake(nothing_new.figures, "nothing"),
            "machinery": lambda: in_lake(machinery.figures, "machinery"),
            "changed_rows": lambda: in_lake(changed_rows.figures, "changed"),
            "publication": _publication,
            "collector": lambda: collector.figures(folder),
            "customers": customers.figures,
            "attribution": attribution.figures,
            "media_mix": _media_mix,
            "world": world.figures,
            "memory": _memory,
        }
        unknown = set(wanted) - set(benchmarks)
        if unknown:
            console.print(f"{', '.join(unknown)}: no benchmark. Valid: {', '.join(benchmarks)}.")
            return 2
        grid = Grid("claim", "goal", "figure", "", "how", title="Goals and figures")
        for title, measure in benchmarks.items():
            if wanted and title not in wanted:
                continue
            console.print(f"measuring {title} …")
            for figure in measure():
                goal = "" if figure.goal is None else f"≤ {figure.goal:g} {figure.unit}"
                console.print(f"  {figure.what}: {figure.value:.3g} {figure.unit} (goal {goal or 'none'}) {figure.verdict}")
                grid.add_row(figure.what, goal, f"{figure.value:.3g} {figure.unit}", figure.verdict, figure.how)
        console.print(grid)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
