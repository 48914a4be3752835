"""A run above bronze: compute what the inputs changed, stage it, audit it, publish it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any

from lakehouse.delta.location import staged_uri
from lakehouse.delta.session import FEW_ROWS, interpret
from lakehouse.quality.audit import audit
from lakehouse.run import live, observed, quarantine
from lakehouse.run.attempt import Run
from lakehouse.run.build import Builder
from lakehouse.run.compute import Computation, Scope
from lakehouse.run.fault import reached
from lakehouse.run.frames import at_version, stored
from lakehouse.run.publish import create, publish
from lakehouse.run.report import Report
from lakehouse.run.resolve import Decision, state_at
from lakehouse.run.stage import Staged, stage
from lakehouse.run.state import State

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class _Computed:
    """What was staged, by which decision (a change of schema makes it an overwrite), and which rows it spoke of."""

    staged: Staged
    scope: Scope | None
    decision: Decision


def derive(run: Run, spark: SparkSession, decision: Decision, readings: Mapping[str, live.Reading]) -> Report:
    """Bring a table above bronze to where `decision` says. Raises Stopped, Overtaken where another run was first."""
    reached("resolved")
    if _rows_in_play(run, decision) <= FEW_ROWS:
        interpret(spark)
    models = _models(run)
    try:
        computed = _compute(run, spark, decision, models, readings)
    except Exception as error:
        if decision.kind != "incremental" or not _feed_is_gone(error):
            raise
        run.warn("the change feed's files are gone (VACUUM): built in full")
        in_full = replace(decision, kind="full", reason="files of the change feed are gone", moved={})
        computed = _compute(run, spark, in_full, models, readings)
    staged, decision = computed.staged, computed.decision
    reached("staged")
    rows, flagged = _counts(run, decision, staged)
    verdicts = audit(spark, run.table, staged, rows, flagged, run.started)
    reached("audited")
    table_id = create(spark, run.table)
    reached("created")
    quarantine.divert(spark, run.table, staged, computed.scope, run.id, decision.number, run.now)
    reached("quarantined")
    state = State(
        run.id, decision.code, decision.inputs, table_id, {"as_of": str(run.as_of)} if run.as_of else {},
        {}, rows, flagged, run.started.isoformat(timespec="seconds"),
    )  # fmt: skip
    version = publish(spark, run.table, staged, state, decision.number, overwrite=decision.kind == "overwrite")
    reached("published")
    run.sweep()
    inputs = {n: v.version for n, v in decision.inputs.items()}
    return run.published(staged, verdicts, version, rows, flagged, inputs=inputs, reason=decision.reason)


def _rows_in_play(run: Run, decision: Decision) -> float:
    """Rows the table and its inputs hold together; endless where one of them does not say."""
    tables = {n: v for n, v in decision.inputs.items() if run.graph[n].kind == "table"}
    states = [state_at(run.graph[n], v.version) if run.graph[n].live is None else None for n, v in tables.items()]
    held = decision.previous.rows if decision.previous else 0 if decision.base is None else inf
    return held + sum(state.rows if state else inf for state in states)


def _models(run: Run) -> dict[str, Any]:
    names = [i.name for i in run.table.inputs if i.mode == "model"]
    if not names:
        return {}
    from lakehouse.models import served_version, why_unserved

    served = {n: served_version(n) for n in names}
    run.warn(*(f"no predictions: {why_unserved(n)}" for n, version in served.items() if version is None))
    return served


def _compute(
    run: Run, spark: SparkSession, decision: Decision, models: Mapping[str, Any], readings: Mapping[str, live.Reading]
) -> _Computed:
    build = Builder(spark, run.table, run.as_of, models)
    if decision.base is not None and _schema_differs(run, spark, decision):
        decision = replace(decision, kind="overwrite")
    work = Computation(spark, run.graph, run.table, decision, build, run.now, readings)
    rows = work.staged()
    if decision.previous is None or decision.previous.code != decision.code:
        observed.check(run.graph, run.table, rows)
    run.warn(*build.warnings)
    return _Computed(stage(run.table, rows, staged_uri(run.table.name, run.id)), work.scope, decision)


def _schema_differs(run: Run, spark: SparkSession, decision: Decision) -> bool:
    if decision.previous is not None and decision.previous.code == decision.code:
        return False
    assert decision.base is not None
    there = {f.name: f.dataType.simpleString() for f in at_version(spark, run.table, decision.base).schema.fields}
    return there != stored(run.table)


def _counts(run: Run, decision: Decision, staged: Staged) -> tuple[int, int]:
    """Rows and flagged rows of the table after this run: the old counts moved by the difference."""
    base = decision.previous if decision.kind == "incremental" or run.table.as_of else None
    if base is not None:
        return base.rows + staged.live, base.flagged + staged.flagged
    if decision.base is None or decision.kind == "overwrite":
        return staged.live, staged.flagged
    return staged.whole_live, staged.whole_flagged


def _feed_is_gone(error: Exception) -> bool:
    text = str(error)
    return any(sign in text for sign in ("FILE_NOT_EXIST", "FileNotFoundException", "DELTA_CHANGE_DATA_FILE_NOT_FOUND", "DELTA_TRUNCATED"))
