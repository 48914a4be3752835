"""Keep readers out of the views for the moment of the switch, without making them wait for each other."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import psycopg
from psycopg import sql

from lakehouse.errors import LakehouseError
from lakehouse.warehouse.connection import Connection

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.1, 0.8
"""Seconds the switch waits for a lock, and new readers behind it. Below Postgres's deadlock_timeout (1 s), so that in a
deadlock it is the switch that gives way."""

LONG = 0.5
"""Seconds after which a reader counts as a long one: while one is there, the switch does not even queue."""


class ReadersInTheWay(LakehouseError):
    """Some reader held a view all the time the publication was willing to wait."""


def lock_out_readers(connection: Connection, views: Sequence[str], patience: float) -> None:
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
