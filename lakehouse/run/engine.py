"""The protocol of one run: resolve, build, stage, audit, publish, report. Killed anywhere, the next run ends the same."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from lakehouse import storage
from lakehouse.declare.tables import Table
from lakehouse.delta.location import staged_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.delta.session import FEW_BYTES, FEW_ROWS, interpret, open_session
from lakehouse.graph import Graph
from lakehouse.quality.audit import Stopped, Verdict, audit
from lakehouse.run import bronze, handled, ledger, live, observed, quarantine
from lakehouse.run.accounts import drifted, settle
from lakehouse.run.build import Builder
from lakehouse.run.code import code_hash
from lakehouse.run.compute import Computation, Scope
from lakehouse.run.cut import Cut, pinned_by_cuts
from lakehouse.run.fault import reached
from lakehouse.run.frames import at_version
from lakehouse.run.lock import one_writer
from lakehouse.run.publish import Overtaken, create, publish
from lakehouse.run.report import Report
from lakehouse.run.resolve import Decision, resolve, state_at
from lakehouse.run.stage import Staged, stage
from lakehouse.run.state import State, state_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

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
    run = Run(graph, table, full, day, cut, attempt)
    try:
        report = run.go()
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


class Run:
    """One run's identity and steps."""

    def __init__(self, graph: Graph, table: Table, full: bool, as_of: date | None, cut: Cut | None, attempt: str | None) -> None:
        self.graph, self.table, self.full, self.as_of, self.cut, self.attempt = graph, table, full, as_of, cut, attempt
        self.started = datetime.now(UTC)
        self.clock = monotonic()
        self.id = f"{table.name}-{self.started:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
        self.now = self.started.strftime("%Y-%m-%d %H:%M:%S.%f")
        self.warnings: list[str] = []

    def go(self) -> Report:
        """Resolve and, where there is something to do, compute and publish; again where another run was first."""
        for left in reversed(range(ATTEMPTS)):
            try:
                return self._once()
            except Overtaken:
                if not left:
                    raise
        raise AssertionError("unreachable")

    def _once(self) -> Report:
        if self.table.live is not None:
            at = live.ask(self.table).astimezone(UTC).isoformat(timespec="seconds")
            return self.report("up to date", reason=f"virtual: nothing is stored; '{self.table.live.source}' answers as declared, {at}")
        if self.table.layer == "bronze":
            found = ledger.new_objects(self.table, DeltaLog(table_uri(self.table)))
            if not found.consumed and DeltaLog(table_uri(self.table)).version is not None:
                return self._idle("up to date", "nothing new has landed")
            with one_writer(self.table.name), open_session(self.attempt) as spark:
                return self._bronze(spark)
        decision = self._resolve()
        if decision.kind in ("up to date", "waiting"):
            return self._idle(decision.kind, decision.reason, decision)
        with one_writer(self.table.name), open_session(self.attempt) as spark:
            decision = self._resolve()
            if decision.kind in ("up to date", "waiting"):
                return self._idle(decision.kind, decision.reason, decision)
            with live.pinned(self.graph, self.graph.upstream(self.table.name)) as readings:
                moments = {name: reading.version for name, reading in readings.items()}
                return self._above_bronze(spark, replace(decision, inputs=decision.inputs | moments), readings)

    def _resolve(self) -> Decision:
        pinned = pinned_by_cuts(self.graph, self.table, self.cut)
        return resolve(self.graph, self.table, full=self.full, as_of=self.as_of, pinned=pinned)

    # above bronze -----------------------------------------------------------------------------------------------

    def _above_bronze(self, spark: SparkSession, decision: Decision, readings: Mapping[str, live.Reading]) -> Report:
        reached("resolved")
        if self._rows_in_play(decision) <= FEW_ROWS:
            interpret(spark)
        models = self._models()
        try:
            staged, scope = self._stage(spark, decision, models, readings)
        except Exception as error:
            if decision.kind != "incremental" or not _feed_is_gone(error):
                raise
            self.warnings.append("the change feed's files are gone (VACUUM): built in full")
            staged, scope = self._stage(spark, _in_full(decision, "files of the change feed are gone"), models, readings)
            decision = _in_full(decision, "files of the change feed are gone")
        reached("staged")
        base = decision.previous if decision.kind == "incremental" or self.table.as_of else None
        rows, flagged = self._counts(decision, base, staged)
        verdicts = audit(spark, self.table, staged, rows, flagged, self.started)
        reached("audited")
        table_id = create(spark, self.table)
        reached("created")
        quarantine.divert(spark, self.table, staged, scope, self.id, decision.number, self.now)
        reached("quarantined")
        state = State(
            self.id, decision.code, decision.inputs, table_id, {"as_of": str(self.as_of)} if self.as_of else {},
            {}, rows, flagged, self.started.isoformat(timespec="seconds"),
        )  # fmt: skip
        version = publish(spark, self.table, staged, state, decision.number, overwrite=decision.kind == "overwrite")
        reached("published")
        self._sweep()
        return self._published(staged, verdicts, version, rows, flagged, decision)

    def _rows_in_play(self, decision: Decision) -> float:
        """Rows the table and its inputs hold together; endless where one of them does not say."""
        tables = {n: v for n, v in decision.inputs.items() if self.graph[n].kind == "table"}
        states = [state_at(self.graph[n], v.version) if self.graph[n].live is None else None for n, v in tables.items()]
        held = decision.previous.rows if decision.previous else 0 if decision.base is None else inf
        return held + sum(state.rows if state else inf for state in states)

    def _counts(self, decision: Decision, base: State | None, staged: Staged) -> tuple[int, int]:
        """Rows and flagged rows of the table after this run: the old counts moved by the difference."""
        if base is not None:
            return base.rows + staged.live, base.flagged + staged.flagged
        if decision.base is None or decision.kind == "overwrite":
            return staged.live, staged.flagged
        return staged.whole_live, staged.whole_flagged

    def _stage(
        self, spark: SparkSession, decision: Decision, models: Mapping[str, Any], readings: Mapping[str, live.Reading]
    ) -> tuple[Staged, Scope | None]:  # fmt: skip
        build = Builder(spark, self.table, self.as_of, models)
        kind = "overwrite" if decision.base is not None and self._schema_differs(spark, decision) else decision.kind
        if kind != decision.kind:
            object.__setattr__(decision, "kind", kind)
        work = Computation(spark, self.graph, self.table, decision, build, self.now, readings)
        rows = work.staged()
        if decision.previous is None or decision.previous.code != decision.code:
            observed.check(self.graph, self.table, rows)
        self.warnings += [w for w in build.warnings if w not in self.warnings]
        return stage(self.table, rows, staged_uri(self.table.name, self.id)), work.scope

    def _schema_differs(self, spark: SparkSession, decision: Decision) -> bool:
        from lakehouse.run.frames import stored

        if decision.previous is not None and decision.previous.code == decision.code:
            return False
        assert decision.base is not None
        there = {f.name: f.dataType.simpleString() for f in at_version(spark, self.table, decision.base).schema.fields}
        return there != stored(self.table)

    def _models(self) -> dict[str, Any]:
        names = [i.name for i in self.table.inputs if i.mode == "model"]
        if not names:
            return {}
        from lakehouse.models import served_version, why_unserved

        served = {n: served_version(n) for n in names}
        self.warnings += [f"no predictions: {why_unserved(n)}" for n, version in served.items() if version is None]
        return served

    # bronze -----------------------------------------------------------------------------------------------------

    def _bronze(self, spark: SparkSession) -> Report:
        log = DeltaLog(table_uri(self.table))
        landing = ledger.new_objects(self.table, log)
        if not landing.consumed and log.version is not None:
            return self._idle("up to date", "nothing new has landed")
        newest = log.newest_that_counts()
        previous = state_of(newest)
        number = 1 + newest.version if newest else 0
        reached("resolved")
        if landing.bytes <= FEW_BYTES:
            interpret(spark)
        table_id = create(spark, self.table)
        if previous is not None and previous.code != code_hash(self.table):
            bronze.evolved(spark, self.table)
        rows = bronze.staged(spark, self.table, landing.take, self.id, self.now)
        staged = stage(self.table, rows, staged_uri(self.table.name, self.id))
        reached("staged")
        settled = settle(self.table, staged, landing, ledger.taken_so_far(self.table, log)[1])
        self.warnings += [w for w in settled.warnings if w not in self.warnings]
        if settled.stops:
            raise Stopped(drifted(self.table, settled.stops), [])
        live, flagged = (previous.rows, previous.flagged) if previous else self._counted_anew(spark, log)
        live, flagged = live + staged.live, flagged + staged.flagged
        if landing.replaced:
            rows_gone, flagged_gone = bronze.gone(spark, self.table, landing.replaced, self.now)
            live, flagged = live - rows_gone, flagged - flagged_gone
        verdicts = audit(spark, self.table, staged, live, flagged, self.started)
        reached("audited")
        if staged.count("quarantine") or landing.replaced or landing.corrections:
            quarantine.create(spark, self.table.name)
            held = bronze.held_back(staged.read(spark, "quarantine"), self.id, number, self.now)
            quarantine.merge(spark, self.table.name, held, handled.out(spark, self.table, landing, self.id, self.now))
        reached("quarantined")
        state = State(
            self.id, code_hash(self.table), {}, table_id, {}, landing.consumed, live, flagged,
            self.started.isoformat(timespec="seconds"), settled.by_object,
        )  # fmt: skip
        version = publish(spark, self.table, staged, state, number, restated=landing.replaced)
        reached("published")
        ledger.keep(self.table)
        self._sweep()
        return self._published(
            staged, verdicts, version, live, flagged, None, reason=landing.in_words, received=settled.received,
            duplicates=len(landing.aside), reasons=settled.reasons,
        )  # fmt: skip

    def _counted_anew(self, spark: SparkSession, log: DeltaLog) -> tuple[int, int]:
        """Rows of a bronze table that somebody erased from or restored; how many are flagged is known of its last run."""
        if log.version is None:
            return 0, 0
        last = next((s for s in map(state_of, log.back()) if s is not None), None)
        rows = at_version(spark, self.table, log.version).count()
        return rows, min(rows, last.flagged) if last else 0

    # reports ----------------------------------------------------------------------------------------------------

    def report(self, state: Any, **facts: Any) -> Report:
        """A report of this run with what is known."""
        rules = [v.as_dict() if isinstance(v, Verdict) else v for v in facts.pop("rules", [])]
        return Report(
            self.table.name, state, self.id, rules=rules, warnings=self.warnings, seconds=round(monotonic() - self.clock, 3),
            started_at=self.started.isoformat(timespec="seconds"), **facts,
        )  # fmt: skip

    def _idle(self, state: str, reason: str, decision: Decision | None = None) -> Report:
        log = DeltaLog(table_uri(self.table))
        known = state_of(log.newest_that_counts())
        return self.report(
            state, reason=reason, version=log.version, rows=known.rows if known else None, score=known.score if known else None,
            inputs={n: v.version for n, v in decision.inputs.items()} if decision else {},
        )  # fmt: skip

    def _published(
        self, staged: Staged, verdicts: list[Verdict], version: int, rows: int, flagged: int, decision: Decision | None, **facts: Any
    ) -> Report:
        return self.report(
            "published", version=version, rows=rows, rows_written=staged.count("upsert"), rows_deleted=staged.count("delete"),
            rows_quarantined=staged.count("quarantine"), score=(rows - flagged) / rows if rows else None,
            batch_score=1 - staged.batch_flagged / staged.judged if staged.judged else None, rules=verdicts,
            inputs={n: v.version for n, v in decision.inputs.items()} if decision else {},
            **{"reason": decision.reason if decision else "", **facts},
        )  # fmt: skip

    def _sweep(self) -> None:
        """Remove what this and dead runs of the table staged; the table's lock says that no other run is alive."""
        storage.delete_prefix(staged_uri(self.table.name))


def _in_full(decision: Decision, reason: str) -> Decision:
    return replace(decision, kind="full", reason=reason, moved={})


def _feed_is_gone(error: Exception) -> bool:
    text = str(error)
    return any(sign in text for sign in ("FILE_NOT_EXIST", "FileNotFoundException", "DELTA_CHANGE_DATA_FILE_NOT_FOUND", "DELTA_TRUNCATED"))
