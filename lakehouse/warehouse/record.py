"""Keep what every run reports in `ops.runs` and `ops.quality`, where analysts and pages find it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg.types.json import Jsonb

from lakehouse.warehouse.connection import Connection, loader
from lakehouse.warehouse.schema import ensure

if TYPE_CHECKING:
    from lakehouse.run.report import Report


def record_run(report: Report) -> None:
    """Add one row for the run and one for each rule it checked."""
    with loader() as connection:
        try:
            _insert(connection, report)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            ensure(connection)
            _insert(connection, report)


def _insert(connection: Connection, report: Report) -> None:
    began = datetime.fromisoformat(report.started_at) if report.started_at else datetime.now(UTC)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO ops.runs (run_id, table_name, state, started_at, seconds, rows_written, rows_deleted,
                                     rows_quarantined, score, batch_score, version, inputs, reason)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
            [
                report.run_id, report.table, report.state, began, report.seconds, report.rows_written,
                report.rows_deleted, report.rows_quarantined, report.score, report.batch_score, report.version,
                Jsonb(report.inputs), report.reason.replace("\x00", "\N{REPLACEMENT CHARACTER}"),
            ],
        )  # fmt: skip
        row = cursor.fetchone()
        run = row[0] if row else None
        cursor.executemany(
            "INSERT INTO ops.quality (run, rule, level, action, failed) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (run, rule) DO UPDATE SET failed = excluded.failed",
            [(run, each["rule"], each["level"], each["action"], each["failed"]) for each in report.rules],
        )
