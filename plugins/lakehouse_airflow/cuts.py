"""Cuts as tasks use them: which one a run reads, what became of its tables, and the new one at its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from lakehouse.declare import Table
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph

if TYPE_CHECKING:
    from airflow.sdk import Context

    from lakehouse.run import Cut


def last(dag: str) -> Cut | None:
    """The newest cut of a DAG; None before its first."""
    from lakehouse.run import last_cut

    return last_cut(dag)


def chosen(context: Context, dag: str, task: str) -> Cut | None:
    """The cut this run reads: the one that `task` of this run chose, else the last one of `dag`; None where neither is named."""
    if not task:
        return last(dag) if dag else None
    from lakehouse.run import read_cut

    name = context["ti"].xcom_pull(task_ids=task)
    if not name:
        raise LakehouseError(f"Task '{task}' of this run has named no cut. Clear that task, so that it runs again and chooses one.")
    return read_cut(dag or context["ti"].dag_id, name)


def failed_of(context: Context, tables: tuple[str, ...]) -> list[str]:
    """Tables whose task did not succeed in this run."""
    ti = context["ti"]
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
    return [name for name in tables if str(states.get(name)) != "success"]


def landed_to(table: Table) -> dict[str, str]:
    """Up to when the source of a bronze table has landed: looked up before the run, so that the run takes at least that."""
    if table.source is None:
        return {}
    from lakehouse.run import watermarks

    return watermarks(Graph({table.name: table}))


def complete_to(graph: Graph, marks: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Of each source, what all of its tables have taken; `marks` are those each bronze table found before its run."""
    found: dict[str, str] = {}
    for source, tables in graph.sources().items():
        promising = [n for n in tables if (s := graph[n].source) and (s.period or s.lands)]
        seen = [marks.get(n, {}).get(source) for n in promising]
        if seen and all(seen):
            found[source] = min((m for m in seen if m), key=datetime.fromisoformat)
    return found


def write(graph: Graph, context: Context, tables: tuple[str, ...], read: Cut | None) -> Cut:
    """Write the run's cut; sources are complete to what the cut it read says, or what its own tables have taken."""
    from lakehouse.run import write_cut

    ti = context["ti"]
    if read is not None:
        return write_cut(graph, ti.dag_id, ti.run_id, read.watermarks)
    marks = {n: (ti.xcom_pull(task_ids=n) or {}).get("watermarks", {}) for n in tables if graph[n].source}
    return write_cut(graph, ti.dag_id, ti.run_id, complete_to(graph, marks))
