"""The first promise: a new table is one new file. Everything else follows from it, and nothing else changes."""

from __future__ import annotations

import json
import runpy
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from lakehouse.cli.drawing import as_json, mermaid
from lakehouse.graph import load
from lakehouse.settings import REPOSITORY
from lakehouse.warehouse.shape import comments, create_table, create_view, shape

NAME = "agg_orders_by_status"
FILE = f'''
from lakehouse.declare import SQL, Column, Snapshot, at_least, table


@table(
    key="status",
    owner="commerce",
    refresh="nightly",
    columns=[
        Column("status", "string", "State of the order."),
        Column("orders", "bigint", "How many orders are in it.", at_least(1)),
    ],
)
def {NAME}(orders: Snapshot) -> SQL:
    """Orders by their state."""
    return "SELECT status, count(*) AS orders FROM orders WHERE status IS NOT NULL GROUP BY status"
'''


@dataclass
class Lakehouse:
    """All that follows from a folder of jobs: contracts, DAGs, assets, the warehouse."""

    contracts: dict[str, Any]
    tasks: dict[tuple[str, str], dict[str, Any]]
    edges: set[tuple[str, str, str]]
    assets: dict[str, dict[str, Any]]
    views: dict[str, str]
    drawing: str


def lakehouse_of(jobs: Path, monkeypatch: pytest.MonkeyPatch) -> Lakehouse:
    monkeypatch.setenv("LAKEHOUSE_JOBS", str(jobs))
    monkeypatch.syspath_prepend(REPOSITORY)
    graph = load(jobs)
    dags = [v for f in sorted((REPOSITORY / "dags").glob("*.py")) for v in runpy.run_path(str(f)).values() if isinstance(v, DAG)]
    tasks = [(dag, task) for dag in dags for task in dag.tasks]
    assets = [asset for _, task in tasks for asset in task.outlets]
    shapes = {n: shape(graph, graph[n]) for n in graph.published()}
    return Lakehouse(
        contracts={t["name"]: t for t in json.loads(as_json(graph))["tables"]},
        tasks={
            (d.dag_id, t.task_id): {"owner": t.owner, "page": (t.doc_md or "").replace(str(jobs), "jobs"), "kind": type(t).__name__}
            for d, t in tasks
        },
        edges={(d.dag_id, t.task_id, below) for d, t in tasks for below in t.downstream_task_ids},
        assets={a.name: {"uri": a.uri, "group": a.group} for a in assets},
        views={
            n: "\n".join(s.as_string() for s in (create_table(sh, n), create_view(sh, n, [c.name for c in sh.columns]), *comments(sh)))
            for n, sh in shapes.items()
        },
        drawing=mermaid(graph),
    )


@pytest.fixture
def before_and_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Lakehouse, Lakehouse]:
    copies = [tmp_path / n / "jobs" for n in ("before", "after")]
    for copy in copies:
        shutil.copytree(REPOSITORY / "jobs", copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copies[1] / "gold" / f"{NAME}.py").write_text(FILE, encoding="utf-8")
    first, second = (lakehouse_of(copy, monkeypatch) for copy in copies)
    return first, second


def test_a_new_table_is_one_new_file(before_and_after):
    before, after = before_and_after
    assert set(after.contracts) - set(before.contracts) == {NAME}
    contract = after.contracts[NAME]
    assert [(c["name"], c["type"], c["description"]) for c in contract["columns"]] == [
        ("status", "string", "State of the order."), ("orders", "bigint", "How many orders are in it."),
    ]  # fmt: skip
    assert contract["rules"] == [{"rule": "orders: at_least(1)", "level": 2, "action": "flag"}]
    new = {key for key in after.tasks if key not in before.tasks}
    assert new == {("nightly", NAME), ("maintenance", NAME)}
    assert after.tasks["nightly", NAME]["owner"] == "commerce" and "Orders by their state." in after.tasks["nightly", NAME]["page"]
    assert {n: a for n, a in after.assets.items() if n not in before.assets} == {NAME: {"uri": f"lakehouse://gold/{NAME}", "group": "gold"}}
    assert set(after.views) - set(before.views) == {NAME}
    assert f'CREATE OR REPLACE VIEW "marts"."{NAME}"' in after.views[NAME] and "Orders by their state." in after.views[NAME]
    assert f"orders --> {NAME}" in after.drawing


def test_nothing_else_changes_with_it(before_and_after):
    before, after = before_and_after
    without = {n: c for n, c in after.contracts.items() if n != NAME}
    assert [*without] == [*before.contracts]
    for name, contract in before.contracts.items():
        assert {**without[name], "file": ""} == {**contract, "file": ""}
    assert {k for k in after.tasks if k[1] != NAME} == set(before.tasks)
    changed = {k for k in before.tasks if before.tasks[k] != after.tasks[k]}
    assert changed <= {("hourly", "orders")}  # the page of the table that is read names its reader
    assert {e for e in after.edges if NAME not in e} | bypassed(before, after) == before.edges
    assert {n: asdict(after)["views"][n] for n in before.views} == before.views
    assert {n: a for n, a in after.assets.items() if n != NAME} == before.assets


def bypassed(before: Lakehouse, after: Lakehouse) -> set[tuple[str, str, str]]:
    """Edges that are now ways of two steps through the new task; maintenance does one table after the other."""
    lost = before.edges - after.edges
    return {(d, a, b) for d, a, b in lost if (d, a, NAME) in after.edges and (d, NAME, b) in after.edges}
