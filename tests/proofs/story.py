"""What may happen to a lake, from one seed: deliveries, corrections, erasures, upkeep, and runs of some tables at a time."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from unittest.mock import patch

from lakehouse.graph import Graph
from lakehouse.run import compute, derive
from tests.proofs.lake import Lake, differences
from tests.proofs.supply import DAYS, FIRST_DAY, Supply


class Story:
    """One seed's story, told step by step to a lake, and then in one piece to another."""

    def __init__(self, graph: Graph, seed: int) -> None:
        self.graph = graph
        self.supply = Supply(graph, seed)
        self.chance = self.supply.chance
        self.lake = Lake(graph)
        self.runs = 0
        self.told: list[str] = []
        self._landed: dict[str, list[str]] = {}
        self._erasures: list[tuple[str, str]] = []
        self._unsafe: set[str] = set()
        self.tables = tuple(n for n in graph.order() if graph[n].kind == "table" and not self._rests_on_a_model(n))
        self.days = tuple((FIRST_DAY + timedelta(days=d)).date() for d in (1, DAYS - 1))

    def _rests_on_a_model(self, name: str) -> bool:
        return any(self.graph[n].kind == "model" for n in self.graph.with_upstream(name))

    # telling ----------------------------------------------------------------------------------------------------

    def tell(self, steps: int) -> None:
        """Begin with much, go on with little or much, end with everything run twice."""
        self.deliver(14)
        self.run(self.tables, self.days)
        for step in range(steps):
            self.deliver(*((9, 1.0) if self.chance.random() < 0.3 else (2, 0.6)))
            if step % 2 == 0:
                self.erase()
            some = [n for n in self.tables if self.graph[n].layer == "bronze" or self.chance.random() < 0.7]
            self.run(some, self.days[: self.chance.randint(1, 2)])
            self.maintain()
        self.deliver(3, 0.7)
        self.erase()
        self.run(self.tables, self.days)

    def deliver(self, lines: int, share: float = 1.0) -> None:
        """Land a batch."""
        with self.lake.use():
            from lakehouse.settings import settings

            names = self.supply.deliver(settings().landing, lines, share)
        for stream in self.supply.streams:
            assert stream.table.source is not None
            mine = [n for n in names if n.startswith(stream.table.source.prefix + "/")]
            self._landed.setdefault(stream.table.name, []).extend(mine)

    def run(self, names: tuple[str, ...] | list[str], days: tuple[date, ...]) -> None:
        """Run tables one after another as an hour's or a night's run would."""
        reports = self.lake.run(names, days=days)
        self.runs += len(reports)
        self.told += [str(r) for r in reports]

    def erase(self) -> None:
        """Delete the rows of one key from a bronze table, as the erasure of a person does; more may come later."""
        stream = self.chance.choice(self.supply.streams)
        name, column = stream.table.name, stream.identity[0]
        received = next(c.received_as for c in stream.table.columns if c.name == column)
        values = [line.get("row", line).get(received) for line in stream.sent]
        taken = set(self._landed.get(name, []))
        if not values or not taken:
            return
        files = ", ".join(f"'{f}'" for f in sorted(taken))
        where = f"`{column}` = '{self.chance.choice(values)}' AND _source_file IN ({files})"
        self.lake.run([name])  # what has landed so far is what is erased, in pieces and in one piece
        self.lake.sql(f"DELETE FROM {self.lake.address(name)} WHERE {where}")
        self._erasures.append((name, where))
        self.told.append(f"erased in {name}: {where.split(' AND ')[0]}")

    def maintain(self) -> None:
        """Compact, remove old files of, or restore a table or two."""
        for name in self.chance.sample(self.tables, 2):
            version = self.lake.log(name).version
            if not version or version < 2:
                continue
            address, what = self.lake.address(name), self.chance.choice(["OPTIMIZE", "VACUUM", "RESTORE", "RESTORE"])
            erased = any(name == table for table, _ in self._erasures)  # RESTORE would bring the erased rows back
            if what == "RESTORE" and (name in self._unsafe or erased):
                what = "OPTIMIZE"
            if what == "VACUUM":
                self._unsafe.add(name)
            text = {
                "OPTIMIZE": f"OPTIMIZE {address}", "VACUUM": f"VACUUM {address} RETAIN 0 HOURS",
                "RESTORE": f"RESTORE TABLE {address} TO VERSION AS OF {self.chance.randint(1, version - 1)}",
            }[what]  # fmt: skip
            self.lake.sql(text)
            self.told.append(f"{what} {name} at version {version}")

    # in one piece -----------------------------------------------------------------------------------------------

    def whole(self) -> Lake:
        """Another lake: everything landed at once, the same erased, each table built once."""
        lake = Lake(self.graph, self.lake.landing_name)
        bronze = [n for n in self.tables if self.graph[n].layer == "bronze"]
        lake.run(bronze)
        if self._erasures:
            lake.sql(*(f"DELETE FROM {lake.address(name)} WHERE {where}" for name, where in self._erasures))
        lake.run([n for n in self.tables if n not in bronze], days=self.days)
        return lake

    def compared(self) -> tuple[str, ...]:
        """Tables that a full build gives again: all but those that read something frozen, and what rests on them."""
        frozen = {n for n in self.tables if any(i.mode == "frozen" for i in self.graph[n].inputs)}
        return tuple(n for n in self.tables if not frozen & set(self.graph.with_upstream(n)))

    def problems(self) -> list[str]:
        """How the lake differs from the one made in one piece, and which tables would be run once more for nothing."""
        whole = self.whole()
        try:
            found = differences(whole.content(self.compared()), self.lake.content(self.compared()))
        finally:
            whole.drop()
        again = self.lake.run(n for n in self.tables if not self.graph[n].as_of)
        found += [f"{r.table}: run again with nothing new, it is {r.state} ({r.reason})" for r in again if r.state != "up to date"]
        return found


@dataclass(frozen=True)
class Outcome:
    """How one seed's story ended."""

    seed: int
    runs: int
    problems: tuple[str, ...]
    told: tuple[str, ...]

    def to_json(self) -> str:
        """For the folder of results."""
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        return f"seed {self.seed}:\n" + "\n".join(self.problems) + "\n\nWhat happened:\n" + "\n".join(self.told)


def tell(graph: Graph, seed: int, steps: int) -> Outcome:
    """Tell one story and compare its end; even seeds treat every table as a large one."""
    with ExitStack() as large:
        for module in (compute, derive) if seed % 2 == 0 else ():
            large.enter_context(patch.object(module, "FEW_ROWS", -1))
        story = Story(graph, seed)
        large.callback(story.lake.drop)
        story.tell(steps)
        return Outcome(seed, story.runs, tuple(story.problems()), tuple(story.told))
