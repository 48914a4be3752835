"""Cuts as tasks use them: which one a run reads, what became of its tables, and the new one at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def write(graph: Graph, context: Context, read: Cut | None) -> Cut:
    """Write the run's cut; sources are complete to what the cut it read says, or what its own tables have taken."""
    from lakehouse.run import watermarks, write_cut

    ti = context["ti"]
    return write_cut(graph, ti.dag_id, ti.run_id, read.watermarks if read is not None else watermarks(graph))
