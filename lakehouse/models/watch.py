"""The versions in use, watched: against the champion when a new one comes, against their limits every night, for people erased."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from lakehouse.declare.fitted import Fitted
from lakehouse.declare.tables import Table
from lakehouse.delta.location import table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.delta.session import open_session
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from lakehouse.models.register import promote
from lakehouse.models.stage import Judgement, judge, servings
from lakehouse.models.version import ModelVersion, served_version, versions
from lakehouse.run import frames
from lakehouse.run.state import Version


def judgement(graph: Graph, table: Table, fitted: Fitted, pinned: Mapping[str, Version]) -> Judgement:
    """Judge a new version beside the one served; says so where that one knows people who have left."""
    champion = served_version(table.name)
    if champion is None or fitted.trial is None:
        return judge(fitted, None)
    try:
        tried = champion.tried()
        if tried is not None:
            fitted.trial.loss(tried)
    except (LakehouseError, KeyError, AttributeError, ImportError) as error:
        first = judge(fitted, None)
        return Judgement(first.stage, f"version {champion.version} cannot score today's rows ({error}); {first.reason}", first.gain)
    return judge(fitted, tried, must_leave=must_leave(graph, champion, pinned))


def members(graph: Graph, table: str, version: int) -> set[str]:
    """The people in a table at a version: its pseudonymous key column. Empty where the table has none."""
    person = _person(graph[table])
    if not person:
        return set()
    with open_session() as spark:
        rows = frames.snapshot(spark, graph[table], version).select(person).distinct().collect()
    return {str(row[0]) for row in rows}


def trained_on(graph: Graph, version: ModelVersion) -> dict[str, set[str]]:
    """Who was in a version's training set, by input table, from the Delta versions it pinned."""
    return {name: members(graph, name, pinned.version) for name, pinned in version.inputs.items() if name in graph.tables}


def erased(graph: Graph, version: ModelVersion, now: Mapping[str, Version]) -> set[str]:
    """People in a version's training set whom the same tables no longer hold."""
    gone: set[str] = set()
    for name, pinned in version.inputs.items():
        if name in now and now[name].id == pinned.id and now[name].version != pinned.version and _person(graph[name]):
            gone |= members(graph, name, pinned.version) - members(graph, name, now[name].version)
    return gone


def must_leave(graph: Graph, version: ModelVersion, now: Mapping[str, Version]) -> str:
    """Why a version may not be served (again) where another one can: it learnt from people erased since, or nobody can tell; else ""."""
    from pyspark.errors import PySparkException

    try:
        left = len(erased(graph, version, now))
    except PySparkException:  # VACUUM has taken the files of that version
        return f"who is in the training set of version {version.version} can no longer be read"
    return f"version {version.version} learnt from {left} people erased since" if left else ""


def watch(graph: Graph, table: Table) -> str:
    """Roll back where the model's evaluation table (`watched_by`) finds the served version beyond a limit; says what was done."""
    champion = served_version(table.name)
    if not table.watched_by or champion is None:
        return ""
    log = DeltaLog(table_uri(graph[table.watched_by]))
    if log.version is None:
        return ""
    with open_session() as spark:
        mine = frames.snapshot(spark, graph[table.watched_by], log.version).where(f"model_version = {champion.version}")
        if "model" in mine.columns:
            mine = mine.where(f"model = '{table.name}'")
        rows = [r.asDict() for r in mine.select("as_of_date", "figure", "value", "verdict").collect()]
    newest = max((r["as_of_date"] for r in rows), default=None)
    bad = [f"{r['figure']} {r['value']:.4g}" for r in rows if r["as_of_date"] == newest and r["verdict"] == "beyond"]
    return roll_back(graph, table.name, f"beyond its limits on {newest}: {', '.join(bad)}") if bad else ""


def roll_back(graph: Graph, name: str, reason: str) -> str:
    """Serve the version served before, else the newest other one that passed its checks.

    Never one that was rolled back from, nor one that learnt from people erased since.
    """
    decided = servings(name)
    if not decided:
        raise LakehouseError(f"{name}: no version is served, so there is nothing to roll back. Train it: lakehouse train {name}")
    current = decided[-1].version
    left = {before.version for before, after in pairwise(decided) if after.event == "rolled back"} | {current}
    passed = {v.version: v for v in versions(name) if v.stage in ("champion", "challenger") and v.version not in left}
    now = _newest(graph, graph[name])
    order = dict.fromkeys([*(d.version for d in reversed(decided) if d.version in passed), *sorted(passed, reverse=True)])
    choice = next((v for v in order if not must_leave(graph, passed[v], now)), None)
    if choice is None:
        return f"version {current} is {reason}; no other version passed its trial, so it is served on. Train one: lakehouse train {name}"
    promote(passed[choice], "rolled back", f"version {current} is {reason}")
    return f"rolled back to version {choice}: version {current} is {reason}"


def _newest(graph: Graph, table: Table) -> dict[str, Version]:
    logs = {n: DeltaLog(table_uri(graph[n])) for n in graph.upstream(table.name)}
    return {n: Version(log.id, log.version) for n, log in logs.items() if log.id is not None and log.version is not None}


def _person(table: Table) -> str:
    return next((c.name for c in table.columns if c.name in table.key and c.sensitivity == "pseudonym"), "")
