"""What the next run of each table would do, decided from logs alone; followed down the graph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from lakehouse import storage
from lakehouse.declare.tables import Table
from lakehouse.delta.location import table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.graph import LAYERS, PUBLISHED_LAYERS, Graph
from lakehouse.settings import settings

SIGNS = {"first build": "+", "full": "!", "overwrite": "!", "incremental": "~", "append": "~", "train": "!", "follows": "~", "waiting": "?"}


@dataclass(frozen=True)
class Step:
    """One table's next run."""

    table: str
    kind: str
    reason: str
    columns_added: list[str] = field(default_factory=list)
    columns_removed: list[str] = field(default_factory=list)
    readers: list[str] = field(default_factory=list)
    """Tables that read a changed table; where columns go, those that name one and would break."""
    rows: int | None = None
    """Rows a rebuild computes again."""
    days: int | None = None
    """Days a table as of a day holds, each computed again."""
    view: str = ""
    """What becomes of the warehouse's view."""

    @property
    def moves(self) -> bool:
        """Whether the run would do something."""
        return self.kind not in ("up to date", "waiting")

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "moves": self.moves}

    def __str__(self) -> str:
        changed = [f"+{c}" for c in self.columns_added] + [f"-{c}" for c in self.columns_removed]
        more = f"; columns {', '.join(changed)}" if changed else ""
        breaks = f"; breaks {', '.join(self.readers)}" if self.columns_removed and self.readers else ""
        size = "" if self.rows is None else f"; {self.rows:,} rows to recompute"
        size += "" if self.days is None else f" over {self.days} days"
        view = f"; {self.view}" if self.view else ""
        return f"{SIGNS.get(self.kind, ' ')} {self.table}: {self.kind} ({self.reason}{size}{more}{breaks}{view})"


def foresee(graph: Graph, names: Iterable[str] | None = None) -> list[Step]:
    """Steps in order; a table whose inputs will move follows them, at the next cut where another DAG makes them."""
    steps: dict[str, Step] = {}
    for name in graph.order(names):
        step = _step(graph, graph[name])
        coming = [n for n in graph.upstream(name) if n in steps and steps[n].moves]
        if step.kind == "up to date" and coming:
            step = Step(name, "follows", f"{', '.join(coming)} will move")
        steps[name] = step
    return list(steps.values())


def _step(graph: Graph, table: Table) -> Step:
    if table.live is not None:
        return Step(table.name, "up to date", f"virtual: read from '{table.live.source}' when a table asks")
    if table.layer == "bronze":
        return _bronze(table)
    if table.kind == "model":
        return _model(graph, table)
    from datetime import UTC, datetime, timedelta

    from lakehouse.run.cut import pinned_by_cuts
    from lakehouse.run.resolve import NotBuilt, resolve

    day = (datetime.now(UTC) - timedelta(days=1)).date() if table.as_of else None
    try:
        decision = resolve(graph, table, as_of=day, pinned=pinned_by_cuts(graph, table))
    except NotBuilt:
        missing = [n for n in graph.upstream(table.name) if not _exists(graph[n])]
        return Step(table.name, "first build", f"after {', '.join(missing)}", view=_view(table, new=True))
    if decision.base is None:
        reason = "all it reads is there" if table.inputs else "it reads nothing"
        return Step(table.name, "first build", reason, view=_view(table, new=True))
    kind, previous = decision.kind, decision.previous
    rows = previous.rows if previous and kind in ("full", "waiting") and not table.as_of else None
    if previous is None or previous.code == decision.code:
        return Step(table.name, kind, decision.reason, rows=rows)
    added, removed = _columns_moved(table)
    readers = [n for n in graph.downstream(table.name) if not removed or _names_one_of(graph[n], removed)]
    return Step(
        table.name, kind, decision.reason, added, removed, readers, previous.rows, _days(table) if table.as_of else None,
        _view(table, added, removed),
    )  # fmt: skip


def _days(table: Table) -> int:
    """How many days the table's runs have computed."""
    from lakehouse.run.state import state_of

    states = (state_of(commit) for commit in DeltaLog(table_uri(table)).back())
    return len({s.parameters.get("as_of") for s in states if s is not None})


def _view(table: Table, added: Iterable[str] = (), removed: Iterable[str] = (), new: bool = False) -> str:
    """The effect on `marts`, which shows gold, features and predictions."""
    if table.layer not in PUBLISHED_LAYERS:
        return ""
    if new:
        return f"marts.{table.name} is a new view"
    effects = [f"gains {', '.join(added)}"] * bool(added) + [f"loses {', '.join(removed)}"] * bool(removed)
    return f"marts.{table.name} {' and '.join(effects)}" if effects else ""


def _names_one_of(reader: Table, columns: Iterable[str]) -> bool:
    """Whether a table's function or rules name one of the columns."""
    import inspect
    import re

    text = inspect.getsource(reader.function) + " ".join(r.other for r in reader.rules)
    return any(re.search(rf"\b{re.escape(column)}\b", text) for column in columns)


def _bronze(table: Table) -> Step:
    from lakehouse.run.ledger import new_objects

    log = DeltaLog(table_uri(table))
    landed = len(new_objects(table, log).take)
    kind = "first build" if log.version is None else "append" if landed else "up to date"
    return Step(table.name, kind, f"{landed} new objects in landing" if landed else "nothing new has landed")


def _model(graph: Graph, table: Table) -> Step:
    from lakehouse.models import newest_version
    from lakehouse.run.code import code_hash
    from lakehouse.run.cut import pinned_by_cuts, versions_now

    known = newest_version(table.name)
    missing = [n for n in graph.upstream(table.name) if not _exists(graph[n])]
    if known is None:
        return Step(table.name, "first build", f"after {', '.join(missing)}" if missing else "it was never trained")
    if known.code != code_hash(table):
        return Step(table.name, "train", "the code changed")
    pinned = pinned_by_cuts(graph, table)
    now = versions_now([graph[n] for n in graph.upstream(table.name)]) | pinned
    moved = [n for n, v in now.items() if known.inputs.get(n) != v]
    return Step(table.name, "train" if moved else "up to date", f"{', '.join(moved)} moved" if moved else "nothing it reads has moved")


def _exists(table: Table) -> bool:
    if table.kind == "model":
        from lakehouse.models import newest_version

        return newest_version(table.name) is not None
    return table.live is not None or DeltaLog(table_uri(table)).version is not None


def _columns_moved(table: Table) -> tuple[list[str], list[str]]:
    """Columns the declaration has and the table has not, and the other way round; renamed types count as both."""
    import json

    log = DeltaLog(table_uri(table))
    written = next((m for c in log.back() for a in c.actions if (m := a.get("metaData")) and "schemaString" in m), None)
    if written is None:
        return [], []
    there = {f["name"]: f["type"] for f in json.loads(written["schemaString"])["fields"] if not f["name"].startswith("_")}
    here = {c.name: c.type for c in table.columns}
    return [n for n in here if n not in there], [n for n in there if n not in here]


def undeclared(graph: Graph) -> list[str]:
    """Tables that lie in the lake though no file declares them."""
    found = []
    bucket, prefix = storage.split(f"{settings().lake}/")
    for layer in LAYERS:
        pages = storage.client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=f"{prefix}{layer}/", Delimiter="/"):
            folders = [p["Prefix"].rstrip("/").rsplit("/", 1)[1] for p in page.get("CommonPrefixes", [])]
            found += [f"{layer}/{n}" for n in folders if n not in graph.tables or graph[n].layer != layer]
    return sorted(found)
