"""The one place where the graph becomes DAGs: a task per table, groups by layer, edges as declared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, BaseOperator, TaskGroup, TriggerRule
from airflow.sdk.bases.timetable import BaseTimetable

from lakehouse.declare import Table
from lakehouse.graph import LAYERS, Graph
from plugins.lakehouse_airflow import docs
from plugins.lakehouse_airflow.operators import CutOperator, LandOperator, MaintainOperator, ModelOperator, PublishOperator, TableOperator
from plugins.lakehouse_airflow.sensor import WatermarkSensor

CUT, PUBLISH, WAIT = "cut", "publish", "wait_for_data"
TRIES = {
    "retries": 2, "retry_delay": timedelta(seconds=20), "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10), "execution_timeout": timedelta(hours=3),
}  # fmt: skip


def dag_of(
    graph: Graph,
    refresh: str,
    *,
    schedule: BaseTimetable,
    text: str,
    lands: bool = False,
    waits_for: str = "",
    reads: str = "",
    publishes: bool = False,
) -> DAG:
    """The DAG of all tables of one rhythm.

    lands: fetch the sources first. waits_for: the DAG whose last cut must be complete for the day, and is read.
    reads: the DAG whose last cut is read, complete or not. publishes: end by switching the warehouse.
    """
    names = graph.refreshed(refresh)
    missing = _models_to_train(graph, names)
    dag = _dag(refresh, schedule, docs.of_dag(graph, (*names, *missing), text), text, (graph[n] for n in names))
    reading = {"cut_of": waits_for or reads, "cut_task": WAIT if waits_for else ""}
    with dag:
        first = _waiting(graph, names, waits_for) if waits_for else None
        tasks = {}
        for layer in LAYERS:
            members = [n for n in graph.order((*names, *missing)) if graph[n].layer == layer]
            if members:
                with TaskGroup(layer, prefix_group_id=False, tooltip=f"{len(members)} tables"):
                    for name in members:
                        tasks[name] = _task(graph, graph[name], if_missing=name in missing, **reading)
        _edges(graph, tasks)
        if lands:
            _landing(graph, tasks)
        _ends(graph, tasks, first, publishes, reading)
    return dag


def maintenance_of(graph: Graph, *, schedule: BaseTimetable, text: str) -> DAG:
    """The DAG that compacts and cleans every table, one after the other."""
    tables = [graph[n] for n in graph.order() if graph[n].kind == "table" and graph[n].live is None]
    dag = _dag("maintenance", schedule, text.strip(), text, tables, max_active_tasks=1)
    with dag:
        for layer in LAYERS:
            members = [t for t in tables if t.layer == layer]
            if members:
                with TaskGroup(layer, prefix_group_id=False, tooltip=f"{len(members)} tables"):
                    for table in members:
                        MaintainOperator(task_id=table.name, graph=graph, table=table.name, owner=table.owner, doc_md=table.description)
    return dag


def asset_of(table: Table) -> Asset:
    """The asset that stands for a table: its name does not change when the lake moves."""
    return Asset(name=table.name, uri=f"lakehouse://{table.layer}/{table.name}", group=table.layer)


def _dag(name: str, schedule: BaseTimetable, page: str, text: str, tables: Iterable[Table], **more: Any) -> DAG:
    return DAG(
        name, schedule=schedule, catchup=False, max_active_runs=1, default_args=TRIES, doc_md=page,
        description=docs.first_sentence(text), tags={"lakehouse", *(t.layer for t in tables)}, **more,
    )  # fmt: skip


def _task(graph: Graph, table: Table, *, if_missing: bool, **reading: str) -> TableOperator:
    said: dict[str, Any] = {
        "task_id": table.name, "graph": graph, "table": table.name, "owner": table.owner, "doc_md": docs.of_table(graph, table),
        "inlets": [asset_of(graph[n]) for n in graph.upstream(table.name)], "outlets": [asset_of(table)], **reading,
    }  # fmt: skip
    return ModelOperator(if_missing=if_missing, **said) if table.kind == "model" else TableOperator(**said)


def _models_to_train(graph: Graph, names: Iterable[str]) -> tuple[str, ...]:
    """Models of another rhythm that tables of this one use: trained here if they do not exist yet."""
    own = set(names)
    used = {i.name for n in own for i in graph[n].inputs if i.mode == "model"}
    return graph.order(used - own)


def _edges(graph: Graph, tasks: dict[str, TableOperator]) -> None:
    for name, task in tasks.items():
        for read in graph.upstream(name):
            if read in tasks:
                tasks[read] >> task


def _landing(graph: Graph, tasks: dict[str, TableOperator]) -> None:
    with TaskGroup("landing", prefix_group_id=False, tooltip="sources that are fetched"):
        for name in graph.landers():
            land = LandOperator(
                task_id=f"land_{name}", graph=graph, lander=name, doc_md=f"Fetches what source `{name}` has into landing, once."
            )
            for bronze, task in tasks.items():
                source = graph[bronze].source
                if source and source.lands and source.lands.name == name:
                    land >> task


def _waiting(graph: Graph, names: Iterable[str], dag_id: str) -> WatermarkSensor:
    """Sources below these tables that say to when they are complete; files that somebody drops in are not waited for."""
    below = {b for n in names for b in graph.with_upstream(n)}
    sources = sorted({s.name for b in below if (s := graph[b].source) and (s.period or s.lands)})
    return WatermarkSensor(
        task_id=WAIT, graph=graph, cut_of=dag_id, sources=tuple(sources),
        doc_md=f"Passes when the last cut of `{dag_id}` is complete to the end of the day: {', '.join(sources) or 'no source'}.",
    )  # fmt: skip


def _ends(graph: Graph, tasks: dict[str, TableOperator], first: BaseOperator | None, publishes: bool, reading: dict[str, str]) -> None:
    if first is not None:
        for task in tasks.values():
            if not task.upstream_task_ids:
                first >> task
    tables = tuple(n for n in tasks if graph[n].kind == "table")
    if not tables:
        return  # models have versions of their own
    cut = CutOperator(
        task_id=CUT, graph=graph, tables=tables, trigger_rule=TriggerRule.ALL_DONE, **reading,
        doc_md="Writes down which versions belong together; if a table failed, the last cut stays in force.",
    )  # fmt: skip
    for task in tasks.values():
        if not task.downstream_task_ids:
            task >> cut
    if publishes:
        cut >> PublishOperator(
            task_id=PUBLISH, graph=graph, cut_task=CUT, doc_md="Switches all views of the warehouse to this run's versions, at once."
        )
