"""Who may see which column: one group role per sensitivity, each including the one before."""

from __future__ import annotations

import psycopg
from psycopg import sql

from lakehouse.errors import LakehouseError
from lakehouse.warehouse.connection import Connection, reader_role

GROUPS = ("reads_internal", "reads_pseudonym", "reads_personal", "reads_highly_sensitive")
EVERYBODY = GROUPS[0]
ANALYSTS = "reads_pseudonym"
SEES = {"pseudonym": "reads_pseudonym", "personal": "reads_personal", "highly_sensitive": "reads_highly_sensitive"}
"""The group that sees a sensitivity; `public` and `internal` columns every group sees."""


class RolesMissing(LakehouseError):
    """The group roles are not there and the loader may not make them."""


def ensure_roles(connection: Connection) -> None:
    """Make the group roles, each a member of the one before, and let analysts see pseudonyms."""
    try:
        for group in GROUPS:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [group]).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(group)))
        for lower, higher in zip(GROUPS, GROUPS[1:], strict=False):
            _include(connection, lower, higher)
        _include(connection, ANALYSTS, reader_role())
    except psycopg.errors.InsufficientPrivilege as refused:
        made = "; ".join(f"CREATE ROLE {group} NOLOGIN" for group in GROUPS)
        held = "; ".join(f"GRANT {a} TO {b}" for a, b in zip(GROUPS, GROUPS[1:], strict=False))
        raise RolesMissing(
            f"the loader may not make the roles that say who sees which column: {refused.diag.message_primary}.\n"
            f"  As an administrator of Postgres, once: {made}; {held}; GRANT {ANALYSTS} TO {reader_role()};\n"
            "  or let the loader do so: ALTER ROLE loader CREATEROLE;"
        ) from None


def _include(connection: Connection, group: str, member: str) -> None:
    held = connection.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [member, group]).fetchone()
    if held != (True,):
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(member)))
