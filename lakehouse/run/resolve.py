"""What a run has to do, decided without Spark: read the logs, see which inputs moved, compare the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

from lakehouse.declare.tables import Table
from lakehouse.delta.location import table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from lakehouse.run.code import code_hash
from lakehouse.run.live import version_at
from lakehouse.run.state import State, Version, newest_state, state_of

Kind = Literal["up to date", "waiting", "incremental", "full", "overwrite"]


class NotBuilt(LakehouseError):
    """An input that has no data yet."""


@dataclass(frozen=True)
class Range:
    """What of an input's change feed is new: versions (after, until], whether rows may have gone, and its size."""

    after: int
    until: int
    removes: bool
    bytes: int


@dataclass(frozen=True)
class Decision:
    """What a run will do and why. `number` is the transaction number it competes for."""

    kind: Kind
    reason: str
    number: int
    base: int | None
    code: str
    inputs: dict[str, Version] = field(default_factory=dict)
    moved: dict[str, Range] = field(default_factory=dict)
    previous: State | None = None
    table_id: str | None = None


def resolve(
    graph: Graph,
    table: Table,
    *,
    full: bool = False,
    as_of: date | None = None,
    pinned: Mapping[str, Version] | None = None,
) -> Decision:
    """Decide for a table above bronze. `pinned` gives the versions of inputs that come from another DAG's cut."""
    log = DeltaLog(table_uri(table))
    newest = log.newest_that_counts()
    previous = state_of(newest)
    number = 1 + newest.version if newest else 0
    code = code_hash(table)
    logs, inputs = _inputs(graph, table, pinned or {})

    def decided(kind: Kind, reason: str, moved: dict[str, Range] | None = None) -> Decision:
        return Decision(kind, reason, number, log.version, code, inputs, moved or {}, previous, log.id if log.version is not None else None)

    if log.version is None or newest is None:
        return decided("full", "first build")
    if previous is None:
        return decided("full", "its newest change was not made by a run (restored or changed by hand)")
    if full:
        return decided("full", "asked for")
    if previous.code != code:
        if table.costly:
            return decided("waiting", f"the code changed; it is declared costly: `lakehouse run {table.name} --full` rebuilds it")
        return decided("full", "the code changed")
    moved: dict[str, Range] = {}
    frozen = {i.name for i in table.inputs if i.mode == "frozen"} - set(table.references)
    for name, now in inputs.items():
        if name in frozen:
            continue
        before = previous.inputs.get(name)
        if before is None or before.id != now.id or (now.version < before.version and graph[name].live is None):
            return decided("full", f"{name} is another table than last time, or an older version of it")
        range_ = _range(logs.get(name), before.version, now.version)
        if range_ is None:
            return decided("full", f"the change feed of {name} no longer reaches back to version {before.version}, or its schema changed")
        if range_.bytes or range_.removes:
            moved[name] = range_
    if table.as_of and previous.parameters.get("as_of") != str(as_of):
        return decided("full", f"the day {as_of} is computed")
    live = [n for n in moved if graph[n].live is not None]
    if live:
        return decided("full", f"{', '.join(live)} is read live")
    return decided(*_verdict(table, moved))


def _verdict(table: Table, moved: dict[str, Range]) -> tuple[Kind, str, dict[str, Range]]:
    """What moved inputs mean, by how they are read."""
    modes = {i.name: i.mode for i in table.inputs}
    whole = [n for n in moved if modes.get(n) in ("snapshot", "model")]
    if whole:
        return "full", f"{', '.join(whole)} moved", {}
    diverting = {r.table for r in table.rules if r.kind == "reference" and r.action == "quarantine"} & set(moved)
    if diverting:
        return "full", f"{', '.join(diverting)} moved, whose references divert rows", {}
    counting = {n: r for n, r in moved.items() if modes.get(n) in ("changes", "touched") or n in table.references}
    if counting:
        return "incremental", f"{', '.join(counting)} moved", counting
    return "up to date", "nothing it reads has moved", {}


def _inputs(graph: Graph, table: Table, pinned: Mapping[str, Version]) -> tuple[dict[str, DeltaLog], dict[str, Version]]:
    logs: dict[str, DeltaLog] = {}
    versions: dict[str, Version] = {}
    models = {i.name for i in table.inputs if i.mode == "model"}
    for name in graph.upstream(table.name):
        if name in models:
            versions[name] = _model(table, name)
            continue
        if graph[name].live is not None:  # the run itself says at which moment; until then it is now
            versions[name] = version_at(graph[name], datetime.now(UTC))
            continue
        log = logs[name] = DeltaLog(table_uri(graph[name]))
        if name in pinned:
            versions[name] = pinned[name]
        elif log.version is None or log.id is None:
            raise NotBuilt(f"{table.name}: its input '{name}' has no data yet. Run it first: lakehouse run {name}")
        else:
            versions[name] = Version(log.id, log.version)
    return logs, versions


def _model(table: Table, name: str) -> Version:
    """The version in use; 0 where none may be used yet, so that the first that may moves the table."""
    from lakehouse.models.version import served_version, why_unserved

    served = served_version(name)
    if served is None and not why_unserved(name):
        raise NotBuilt(f"{table.name}: its model '{name}' has not been trained. Train it first: lakehouse train {name}")
    return served.as_input if served else Version(name, 0)


def _range(log: DeltaLog | None, after: int, until: int) -> Range | None:
    """What moved in (after, until]; None where the feed cannot tell. A model, a virtual table (no log) moves with its version."""
    if log is None or after == until:
        return Range(after, until, after != until, 0)
    commits = log.between(after, until)
    if commits is None or any(c.changes_schema and c.changes_data for c in commits):
        return None
    changing = [c for c in commits if c.changes_data]
    return Range(after, until, any(c.removes_data for c in changing), sum(max(1, c.bytes_changed) for c in changing))


def state_at(table: Table, version: int | None = None) -> State | None:
    """The state of a table at a version (newest unless given)."""
    return newest_state(DeltaLog(table_uri(table)), version)
