"""The protocol of one run: resolve, build, stage, audit, publish, report. Killed anywhere, the next run ends the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from lakehouse.delta.session import open_session
from lakehouse.graph import Graph
from lakehouse.quality.audit import Stopped
from lakehouse.run import live
from lakehouse.run.attempt import Run
from lakehouse.run.cut import Cut, pinned_by_cuts
from lakehouse.run.derive import derive
from lakehouse.run.ingest import ingest, nothing_new
from lakehouse.run.lock import one_writer
from lakehouse.run.publish import Overtaken
from lakehouse.run.report import Report
from lakehouse.run.resolve import Decision, resolve

ATTEMPTS = 3


def run_table(
    graph: Graph,
    name: str,
    *,
    full: bool = False,
    as_of: date | None = None,
    cut: Cut | None = None,
    attempt: str | None = None,
    record: bool = True,
    only_if_missing: bool = False,
) -> Report:
    """Bring one table up to date, or train one model. Raises Stopped (level 1), or another LakehouseError that says how to repair it.

    as_of: the day, for tables that take one (yesterday, UTC, unless given). cut: the other DAG's versions to read.
    attempt: names the Spark session, so that `interrupt(attempt)` can end what a dead process left running.
    only_if_missing: a model that exists is left as it is.
    """
    table = graph[name]
    if table.kind == "model":
        from lakehouse.models import train

        report = train(graph, name, full=full, cut=cut, attempt=attempt, only_if_missing=only_if_missing)
        if record:
            _record(report)
        return report
    day = (as_of or _yesterday()) if table.as_of else None
    run = Run(graph, table, full, day)
    try:
        report = _until_first(run, cut, attempt)
    except Exception as error:
        if record:
            state = "stopped" if isinstance(error, Stopped) else "failed"
            _record(run.report(state, reason=str(error)[:4000], rules=getattr(error, "verdicts", [])))
        raise
    if record:
        _record(report)
    return report


def _yesterday() -> date:
    return date.fromordinal(datetime.now(UTC).date().toordinal() - 1)


def _record(report: Report) -> None:
    from lakehouse.warehouse import record_run

    record_run(report)


def _until_first(run: Run, cut: Cut | None, attempt: str | None) -> Report:
    """Resolve and, where there is something to do, compute and publish; again where another run was first."""
    for left in reversed(range(ATTEMPTS)):
        try:
            return _once(run, cut, attempt)
        except Overtaken:
            if not left:
                raise
    raise AssertionError("unreachable")


def _once(run: Run, cut: Cut | None, attempt: str | None) -> Report:
    table = run.table
    if table.live is not None:
        at = live.ask(table).astimezone(UTC).isoformat(timespec="seconds")
        return run.report("up to date", reason=f"virtual: nothing is stored; '{table.live.source}' answers as declared, {at}")
    if table.layer == "bronze":
        if idle := nothing_new(run):
            return idle
        with one_writer(table.name), open_session(attempt) as spark:
            return ingest(run, spark)
    decision = _decide(run, cut)
    if decision.kind in ("up to date", "waiting"):
        return run.idle(decision.kind, decision.reason, decision.inputs)
    with one_writer(table.name), open_session(attempt) as spark:
        decision = _decide(run, cut)
        if decision.kind in ("up to date", "waiting"):
            return run.idle(decision.kind, decision.reason, decision.inputs)
        with live.pinned(run.graph, run.graph.upstream(table.name)) as readings:
            moments = {name: reading.version for name, reading in readings.items()}
            return derive(run, spark, replace(decision, inputs=decision.inputs | moments), readings)


def _decide(run: Run, cut: Cut | None) -> Decision:
    return resolve(run.graph, run.table, full=run.full, as_of=run.as_of, pinned=pinned_by_cuts(run.graph, run.table, cut))
