"""Cuts as tasks use them: which one a run reads, what became of its tables, and the new one at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph

if TYPE_CHECKING:
    from airflow.sdk import Context


def last(dag: str) -> Any:
    """The newest cut of a DAG; None before its first."""
    from lakehouse.run import last_cut

    return last_cut(dag)


def chosen(context: Context, dag: str, task: str) -> Any:
    """The cut this run reads: the one that `task` of this run chose, else the last one of `dag`; None where neither is named."""
    if not task:
        return last(dag) if dag else None
    from lakehouse.run import read_cut

    stamp = context["ti"].xcom_pull(task_ids=task)
    if not stamp:
        raise LakehouseError(f"Task '{task}' of this run has named no cut. Clear that task, so that it runs again and chooses one.")
    return read_cut(dag or context["ti"].dag_id, stamp)


def failed_of(context: Context, tables: tuple[str, ...]) -> list[str]:
    """Tables whose task did not succeed in this run."""
    ti = context["ti"]
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
    return [name for name in tables if str(states.get(name)) != "success"]


def versions_of(context: Context, tables: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Id and version of each table as its task in this run left it."""
    ti = context["ti"]
    events = {name: ti.xcom_pull(task_ids=name) for name in tables}
    return {n: {"id": e["id"], "version": e["version"]} for n, e in events.items() if e and e["version"] is not None}


def write(graph: Graph, context: Context, versions: Mapping[str, Any], read: Any) -> Any:
    """Write the run's cut: its own versions, over those of the cut it read, whose watermarks it takes over."""
    from lakehouse.run import watermarks, write_cut

    ti = context["ti"]
    marks = read.watermarks if read is not None else watermarks(graph)
    return write_cut(ti.dag_id, ti.run_id, {**(read.tables if read is not None else {}), **versions}, marks)
