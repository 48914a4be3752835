"""Cuts: versions of a DAG's tables that belong together, and up to when their sources were complete."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from lakehouse import storage
from lakehouse.declare.tables import Table
from lakehouse.delta.location import cuts_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from lakehouse.run.state import Version


@dataclass(frozen=True)
class Cut:
    """One cut, as it is kept: the id is its object's name, in order of time."""

    dag: str
    run_id: str
    at: str
    tables: dict[str, Version]
    watermarks: dict[str, str] = field(default_factory=dict)
    id: str = ""


def versions_now(tables: list[Table]) -> dict[str, Version]:
    """The newest version of each table that exists."""
    logs = {t.name: DeltaLog(table_uri(t)) for t in tables}
    return {n: Version(log.id or "", log.version) for n, log in logs.items() if log.version is not None}


def write_cut(graph: Graph, dag: str, run_id: str, watermarks: dict[str, str] | None = None) -> Cut:
    """Write down what the DAG's tables are now. Call it when all of them have run, and none is running."""
    now = datetime.now(UTC)
    versions = versions_now([t for t in graph.tables.values() if t.refresh == dag and t.kind == "table"])
    name = now.strftime("%Y%m%dT%H%M%S%f")
    cut = Cut(dag, run_id, now.isoformat(timespec="seconds"), versions, watermarks or {}, name)
    if not storage.put(f"{cuts_uri(dag)}/{name}.json", json.dumps(asdict(cut), indent=1).encode(), only_if_absent=True):
        raise LakehouseError(f"a cut named {name} exists already; run the task again")
    return cut


def read_cut(dag: str, name: str) -> Cut:
    """A cut by its id."""
    body = storage.get(f"{cuts_uri(dag)}/{name}.json")
    if body is None:
        raise LakehouseError(f"there is no cut '{name}' of the {dag} DAG at {cuts_uri(dag)}. Run the {dag} DAG first.")
    read = json.loads(body)
    return Cut(**{**read, "tables": {n: Version(**v) for n, v in read["tables"].items()}})


def last_cut(dag: str) -> Cut | None:
    """The newest cut of a DAG, None before its first."""
    names = [o.uri.rsplit("/", 1)[1].removesuffix(".json") for o in storage.list_objects(f"{cuts_uri(dag)}/")]
    return read_cut(dag, max(names)) if names else None


def pinned_by_cuts(graph: Graph, table: Table, given: Cut | None = None) -> dict[str, Version]:
    """Versions of the inputs that another DAG makes: from the cut given, else from that DAG's last."""
    foreign = {graph[n].refresh for n in graph.upstream(table.name) if graph[n].kind == "table"} - {table.refresh}
    pinned: dict[str, Version] = {}
    for dag in foreign:
        cut = given if given is not None and given.dag == dag else last_cut(dag)
        pinned |= cut.tables if cut else {}
    return {n: pinned[n] for n in graph.upstream(table.name) if n in pinned and graph[n].refresh != table.refresh}
