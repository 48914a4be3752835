"""Remove what nobody shows any more: loads that a killed publication left, and data of publications long replaced."""

from __future__ import annotations

import logging

import psycopg
from psycopg import sql

from lakehouse.warehouse.connection import Connection

log = logging.getLogger(__name__)

KEPT = 2
"""Publications whose data stay: the one shown and the one before, for readers still in it and for going back."""


def sweep_staging(connection: Connection) -> list[str]:
    """Drop whatever is in `staging`: only the publication whose turn it is loads there, and it has not begun."""
    return [name for name in _tables(connection, "staging") if _drop(connection, "staging", name)]


def sweep_old(connection: Connection) -> list[str]:
    """Drop data tables of neither of the last publications; one that is still read stays until next time."""
    kept = {
        row[0]
        for row in connection.execute(
            """SELECT data_table FROM ops.publication_tables WHERE publication IN
               (SELECT publication FROM ops.publications ORDER BY publication DESC LIMIT %s)""",
            [KEPT],
        ).fetchall()
    }
    old = [name for name in _tables(connection, "marts_data") if name not in kept]
    return [name for name in old if _drop(connection, "marts_data", name)]


def _tables(connection: Connection, schema: str) -> list[str]:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' ORDER BY relname", [schema]
    ).fetchall()
    return [str(row[0]) for row in rows]


def _drop(connection: Connection, schema: str, name: str) -> bool:
    try:
        with connection.transaction():
            connection.execute("SET LOCAL lock_timeout = '200ms'")
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, name)))
            if schema == "marts_data":
                connection.execute("DELETE FROM ops.data_tables WHERE data_table = %s", [name])
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DependentObjectsStillExist) as held:
        log.warning("%s.%s stays until next time: %s", schema, name, held.diag.message_primary)
        return False
    return True
