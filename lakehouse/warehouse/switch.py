"""The one transaction in which all views change: readers see the old set or the new one, never parts of both."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from lakehouse.errors import LakehouseError
from lakehouse.warehouse.connection import Connection
from lakehouse.warehouse.roles import EVERYBODY
from lakehouse.warehouse.shape import Reference, Shape, comments, create_view

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.1, 0.8
"""Seconds the switch waits for a lock, and new readers behind it. Below Postgres's deadlock_timeout (1 s), so that in a
deadlock it is the switch that gives way."""

LONG = 0.5
"""Seconds after which a reader counts as a long one: while one is there, the switch does not even queue."""


class ReadersInTheWay(LakehouseError):
    """Some reader held a view all the time the publication was willing to wait."""


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
    _lock_out_readers(connection, [*replaced, *plan.removed], patience)
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
    for view in plan.removed:
        found.append(sql.SQL("DROP VIEW {}").format(sql.Identifier("marts", view)))
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


def _lock_out_readers(connection: Connection, views: Sequence[str], patience: float) -> None:
    """Lock all views at once. New readers queue behind a waiting lock, so ask for it only where it comes soon."""
    if not views:
        return
    deadline, wait, seen = time.monotonic() + patience, FIRST_WAIT, dict[tuple[int, str], float]()
    while True:
        now = time.monotonic()
        seen = {reader: seen.get(reader, now) for reader in _readers(connection, views)}
        if all(now - since < LONG for since in seen.values()):
            if _locked(connection, views, wait):
                return
            wait = min(2 * wait, LONGEST_WAIT)
        if now > deadline:
            pids = ", ".join(f"pid {pid} for {now - since:.0f} s" for (pid, _), since in seen.items())
            raise ReadersInTheWay(
                f"readers held views of marts all of {patience:.0f} s ({pids or 'always others'}); nothing was published.\n"
                "  Let them finish, or end one with SELECT pg_terminate_backend(pid); then publish again."
            )
        log.info("waiting for readers to finish: %s", sorted(pid for pid, _ in seen))
        time.sleep(wait)


def _locked(connection: Connection, views: Sequence[str], wait: float) -> bool:
    # LOCK TABLE would lock the tables behind the views too, and wait for whoever vacuums or dumps those. Giving a view to
    # its owner changes nothing and locks it alone; in one DO block, so that the time limit is for all views together.
    change = sql.SQL("ALTER VIEW {} OWNER TO CURRENT_USER;")
    changes = sql.SQL(" ").join(change.format(sql.Identifier("marts", view)) for view in sorted(views))
    lock = sql.SQL("DO {}").format(sql.Literal(f"BEGIN {changes.as_string()} END"))
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL statement_timeout = {int(wait * 1000)}")
            connection.execute(lock)
            connection.execute("SET LOCAL statement_timeout = 0")
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    return True


def _readers(connection: Connection, views: Sequence[str]) -> list[tuple[int, str]]:
    """Who holds one of the views: process and transaction."""
    rows = connection.execute(
        """SELECT DISTINCT l.pid, l.virtualtransaction FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
           WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND c.relnamespace = 'marts'::regnamespace AND c.relname = ANY (%s)""",
        [list(views)],
    ).fetchall()
    return [(pid, transaction) for pid, transaction in rows]
