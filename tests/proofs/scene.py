"""One small scene on the proofs' tables, each change in it the one that some mistake of the engine would get wrong."""

from __future__ import annotations

import gzip
import json
from typing import Any

from lakehouse import storage
from lakehouse.graph import Graph
from tests.proofs.lake import Lake

ABOVE = ("things", "labels", "placed_things", "dear_things", "agg_group", "dim_thing")


def thing(sequence: int, name: str, group: str | None, amount: str, label: str = "L1", *, minute: int | None = None) -> dict[str, Any]:
    """A change of a thing."""
    row = {"thing_id": name, "group_id": group, "label_id": label, "amount": amount, "happened_at": "2026-11-17T08:00:00+00:00"}
    return change(sequence, row, minute)


def change(sequence: int, row: dict[str, Any], minute: int | None = None, *, operation: str = "upsert") -> dict[str, Any]:
    """One change row; its moment follows its sequence."""
    moment = f"2026-11-17T{8 + (minute or sequence) // 60:02d}:{(minute or sequence) % 60:02d}:00+00:00"
    return {"sequence": sequence, "operation": operation, "at": moment, "row": row}


FIRST = {
    "src/things": [
        thing(1, "T1", "north", "40.00"), thing(2, "T2", "north", "30.00", "L2"), thing(13, "T3", "south", "20.00"),
        thing(4, "T4", None, "10.00"), thing(5, "T5", "south", "45.00"), thing(6, "T6", "east", "15.00"), thing(7, "T7", "west", "25.00"),
        thing(8, "T8", "south", "80.00", "L2"), thing(9, "T9", "south", "-5.00"),
    ],
    "src/parts": [
        change(n, {"part_id": f"P{n}", "thing_id": f"T{n}", "group_id": group, "quantity": n})
        for n, group in enumerate(["west", "west", None, "south"], 1)
    ],
    "src/labels": [change(1, {"label_id": "L1", "label": "red"}), change(2, {"label_id": "L2", "label": "blue"})],
}  # fmt: skip
SECOND = {
    "src/things": [
        thing(21, "T7", "north", "25.00"),  # leaves its group, which keeps parts only, for another
        change(22, {"thing_id": "T2"}, operation="delete"),
        thing(3, "T3", "south", "99.00"),  # late: older than what is known
        thing(23, "T4", None, "11.00"),  # a change in the group without a name
        thing(24, "T5", "east", "46.00"), thing(25, "T5", "south", "46.00"),  # there and back between two runs
        thing(21, "T7", "north", "25.00"),  # the same once more
        thing(26, "T1", "north", "-1.00"),  # held back
    ],
    "src/parts": [change(5, {"part_id": "P5", "thing_id": "T1", "group_id": "west", "quantity": 9})],
    "src/labels": [change(3, {"label_id": "L2", "label": "green"})],
}  # fmt: skip
HITS = [{"hit_id": f"H{n}", "thing_id": f"T{n}", "happened_at": "2026-11-17T09:00:00Z"} for n in range(1, 5)]
ERASED = (("src__things", "thing_id = 'T6'"), ("web__hits", "hit_id = 'H2'"))


class Scene:
    """The lake before the second delivery, the same after it, and one built whole."""

    def __init__(self, graph: Graph, above: tuple[str, ...] = ABOVE) -> None:
        self.graph = graph
        self.after = Lake(graph)
        self.names = graph.order({n for name in above for n in graph.with_upstream(name)})
        self.bronze = tuple(n for n in self.names if graph[n].layer == "bronze")
        self._land(1, FIRST)
        hits = gzip.compress("\n".join(map(json.dumps, HITS)).encode())
        storage.put(f"s3://landing/{self.after.landing_name}/web/hits/2026-11-17T09.jsonl.gz", hits)
        self.after.run(self.names)
        self.before = self.after.copy(self.names)
        self._land(2, SECOND)
        self.after.run(self.bronze)
        self._erase(self.after)
        self.after.run(above)
        self.whole = Lake(graph, self.after.landing_name)
        self.whole.run(self.bronze)
        self._erase(self.whole)
        self.whole.run(above)
        self.expected = self.whole.content(self.names)

    def _land(self, batch: int, delivered: dict[str, list[dict[str, Any]]]) -> None:
        root = f"s3://landing/{self.after.landing_name}"
        for prefix, lines in delivered.items():
            body = "\n".join(json.dumps(line) for line in lines).encode()
            storage.put(f"{root}/{prefix}/{batch:010d}.jsonl.gz", gzip.compress(body))
        storage.put(f"{root}/src/_batches/{batch:010d}.json", b"{}")

    def _erase(self, lake: Lake) -> None:
        lake.sql(*(f"DELETE FROM {lake.address(name)} WHERE {where}" for name, where in ERASED if name in self.bronze))

    def just_before(self, name: str) -> Lake:
        """A lake in which everything that `name` reads has moved on, and `name` itself has not yet run."""
        lake = self.after.copy(self.graph.upstream(name))
        lake.take(self.before, name)
        return lake

    def only(self, name: str) -> dict[str, Any]:
        """What a full build gives for one table."""
        return {n: self.expected[n] for n in (name, f"quarantine of {name}")}

    def drop(self) -> None:
        """Remove all of it."""
        for lake in (self.before, self.whole, self.after):
            lake.drop()
