"""The one transaction in which all views change: readers see the old set or the new one, never parts of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from lakehouse.errors import LakehouseError
from lakehouse.warehouse.connection import Connection
from lakehouse.warehouse.readers import lock_out_readers
from lakehouse.warehouse.roles import EVERYBODY
from lakehouse.warehouse.shape import Reference, Shape, comments, create_view


class ViewInUse(LakehouseError):
    """A view must be made anew, and something made by hand depends on it."""


@dataclass(frozen=True)
class Showing:
    """What one view shall show."""

    shape: Shape
    delta_id: str
    delta_version: int
    data_table: str
    rows: int
    loaded: bool
    """Its data lie in `staging` and move to `marts_data` with the switch."""


@dataclass(frozen=True)
class Plan:
    """One publication, all decisions taken."""

    run_id: str
    started_at: datetime
    showing: Sequence[Showing]
    views: Sequence[Showing]
    """Those of `showing` whose view changes."""
    removed: Sequence[str]
    """Views of tables that are no longer declared."""
    references: Sequence[tuple[Reference, int]]


def switch(connection: Connection, plan: Plan, patience: float) -> int:
    """Carry the plan out and return the publication's number; on any error nothing has changed."""
    connection.execute("BEGIN")
    try:
        number = _carry_out(connection, plan, patience)
        commit(connection)
    except BaseException:
        if not connection.closed:
            connection.execute("ROLLBACK")
        raise
    return number


def commit(connection: Connection) -> None:
    """The moment of the switch; a function of its own so that a test can stop the publisher right here."""
    connection.execute("COMMIT")


def _carry_out(connection: Connection, plan: Plan, patience: float) -> int:
    now = _columns_now(connection)
    for each in plan.showing:
        if each.loaded:
            staged = sql.Identifier("staging", each.data_table)
            connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA marts_data").format(staged))
    number = _record(connection, plan)
    statements = _statements(plan, now)
    replaced = [each.shape.table for each in plan.views if each.shape.table in now]
    lock_out_readers(connection, [*replaced, *plan.removed], patience)
    try:
        for statement in [sql.SQL("; ").join(statements)] if statements else []:
            connection.execute(statement)
    except psycopg.errors.DependentObjectsStillExist as held:
        raise ViewInUse(
            f"{held.diag.message_primary}: {held.diag.message_detail}\n  Its columns changed, so it must be made anew. Drop "
            "what depends on it, publish, and make that again with the new columns."
        ) from None
    return number


def _columns_now(connection: Connection) -> dict[str, list[tuple[str, str]]]:
    """Columns and types of the views of `marts` as they are."""
    rows = connection.execute(
        """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
           FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE c.relnamespace = 'marts'::regnamespace AND c.relkind = 'v' ORDER BY c.relname, a.attnum"""
    ).fetchall()
    views: dict[str, list[tuple[str, str]]] = {}
    for view, column, kind in rows:
        views.setdefault(view, []).append((column, kind))
    return views


def _statements(plan: Plan, now: dict[str, list[tuple[str, str]]]) -> list[sql.Composed]:
    found: list[sql.Composed] = []
    for removed in plan.removed:
        found.append(sql.SQL("DROP VIEW {}").format(sql.Identifier("marts", removed)))
    for each in plan.views:
        before = now.get(each.shape.table, [])
        wanted = {c.name: c.type for c in each.shape.columns}
        view = sql.Identifier("marts", each.shape.table)
        fits = all(wanted.get(name) == kind for name, kind in before)
        if before and not fits:
            found.append(sql.SQL("DROP VIEW {}").format(view))
        # A view can be replaced while it only gains columns, at its end: what depends on it then stays.
        kept = [name for name, _ in before] if fits else []
        found.append(create_view(each.shape, each.data_table, [*kept, *(n for n in wanted if n not in kept)]))
        found.append(sql.SQL("GRANT SELECT ON {} TO {}").format(view, sql.Identifier(EVERYBODY)))
        found += comments(each.shape)
    return found


def _record(connection: Connection, plan: Plan) -> int:
    row = connection.execute(
        "INSERT INTO ops.publications (run_id, started_at) VALUES (%s, %s) RETURNING publication",
        [plan.run_id, plan.started_at],
    ).fetchone()
    assert row is not None
    number = int(row[0])
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.data_tables (data_table, table_name, delta_id, delta_version, shape, rows)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (s.data_table, s.shape.table, s.delta_id, s.delta_version, s.shape.data, s.rows)
                for s in plan.showing
                if s.loaded
            ],
        )
        cursor.executemany(
            "INSERT INTO ops.publication_tables VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (number, s.shape.table, s.delta_id, s.delta_version, s.data_table, s.shape.view, s.rows, s.loaded)
                for s in plan.showing
            ],
        )
        cursor.executemany(
            "INSERT INTO ops.publication_references VALUES (%s, %s, %s, %s, %s, %s)",
            [(number, r.table, r.column, r.other_table, r.other_column, n) for r, n in plan.references],
        )
    return number
