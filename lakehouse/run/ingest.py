"""A run of a bronze table: take what landed, hold back what is broken, settle the accounts, publish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.delta.location import staged_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.delta.session import FEW_BYTES, interpret
from lakehouse.quality.audit import Stopped, audit
from lakehouse.run import bronze, handled, ledger, quarantine
from lakehouse.run.accounts import drifted, settle
from lakehouse.run.attempt import Run
from lakehouse.run.code import code_hash
from lakehouse.run.fault import reached
from lakehouse.run.frames import at_version
from lakehouse.run.publish import create, publish
from lakehouse.run.report import Report
from lakehouse.run.stage import stage
from lakehouse.run.state import State, state_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def nothing_new(run: Run) -> Report | None:
    """The report of a run that finds nothing landed, without Spark; None where there is something to take, or no table yet."""
    log = DeltaLog(table_uri(run.table))
    if ledger.new_objects(run.table, log).consumed or log.version is None:
        return None
    return run.idle("up to date", "nothing new has landed")


def ingest(run: Run, spark: SparkSession) -> Report:
    """Take what has landed. Raises Stopped (a level 1 rule, or a contract that stops at drift), Overtaken."""
    log = DeltaLog(table_uri(run.table))
    landing = ledger.new_objects(run.table, log)
    if not landing.consumed and log.version is not None:
        return run.idle("up to date", "nothing new has landed")
    newest = log.newest_that_counts()
    previous = state_of(newest)
    number = 1 + newest.version if newest else 0
    reached("resolved")
    if landing.bytes <= FEW_BYTES:
        interpret(spark)
    table_id = create(spark, run.table)
    if previous is not None and previous.code != code_hash(run.table):
        bronze.evolved(spark, run.table)
    rows = bronze.staged(spark, run.table, landing.take, run.id, run.now)
    staged = stage(run.table, rows, staged_uri(run.table.name, run.id))
    reached("staged")
    settled = settle(run.table, staged, landing, ledger.taken_so_far(run.table, log)[1])
    run.warn(*settled.warnings)
    if settled.stops:
        raise Stopped(drifted(run.table, settled.stops), [])
    live, flagged = (previous.rows, previous.flagged) if previous else _counted_anew(run, spark, log)
    live, flagged = live + staged.live, flagged + staged.flagged
    if landing.replaced:
        rows_gone, flagged_gone = bronze.gone(spark, run.table, landing.replaced, run.now)
        live, flagged = live - rows_gone, flagged - flagged_gone
    verdicts = audit(spark, run.table, staged, live, flagged, run.started)
    reached("audited")
    if staged.count("quarantine") or landing.replaced or landing.corrections:
        quarantine.create(spark, run.table.name)
        held = bronze.held_back(staged.read(spark, "quarantine"), run.id, number, run.now)
        quarantine.merge(spark, run.table.name, held, handled.out(spark, run.table, landing, run.id, run.now))
    reached("quarantined")
    state = State(
        run.id, code_hash(run.table), {}, table_id, {}, landing.consumed, live, flagged,
        run.started.isoformat(timespec="seconds"), settled.by_object,
    )  # fmt: skip
    version = publish(spark, run.table, staged, state, number, restated=landing.replaced)
    reached("published")
    ledger.keep(run.table)
    run.sweep()
    return run.published(
        staged, verdicts, version, live, flagged, reason=landing.in_words, received=settled.received,
        duplicates=len(landing.aside), reasons=settled.reasons,
    )  # fmt: skip


def _counted_anew(run: Run, spark: SparkSession, log: DeltaLog) -> tuple[int, int]:
    """Rows of a bronze table that somebody erased from or restored; how many are flagged is known of its last run."""
    if log.version is None:
        return 0, 0
    last = next((s for s in map(state_of, log.back()) if s is not None), None)
    rows = at_version(spark, run.table, log.version).count()
    return rows, min(rows, last.flagged) if last else 0
