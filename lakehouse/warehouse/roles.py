"""Who may see which column: one group role per sensitivity, each including the one before."""

from __future__ import annotations

from itertools import pairwise

import psycopg
from psycopg import sql

from lakehouse.errors import LakehouseError
from lakehouse.warehouse.connection import Connection

GROUPS = ("reads_internal", "reads_pseudonym", "reads_personal", "reads_highly_sensitive")
EVERYBODY = GROUPS[0]
ANALYSTS = "reads_pseudonym"
SEES = {"pseudonym": "reads_pseudonym", "personal": "reads_personal", "highly_sensitive": "reads_highly_sensitive"}
"""The group that sees a sensitivity; `public` and `internal` columns every group sees."""


class RolesMissing(LakehouseError):
    """The group roles are not there and the loader may not make them."""


def ensure_roles(connection: Connection, analyst: str) -> None:
    """Make the group roles, each including the one before, and let `analyst` see pseudonyms.

    The local stack calls this as Postgres's administrator, so that the loader need not be allowed to make roles.
    """
    try:
        for group in GROUPS:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [group]).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(group)))
        for group, member in _included(analyst):
            held = connection.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [member, group]).fetchone()
            if held != (True,):
                connection.execute(sql.SQL("GRANT {} TO {}").format(*map(sql.Identifier, (group, member))))
    except psycopg.errors.InsufficientPrivilege as refused:
        made = [f"CREATE ROLE {group} NOLOGIN;" for group in GROUPS]
        granted = [f"GRANT {group} TO {member};" for group, member in _included(analyst)]
        raise RolesMissing(
            "the loader may not make the roles that say who sees which column: "
            f"{refused.diag.message_primary}.\n  Those that are missing, once, as Postgres's administrator:\n    "
            + "\n    ".join([*made, *granted])
        ) from None


def _included(analyst: str) -> list[tuple[str, str]]:
    return [*pairwise(GROUPS), (ANALYSTS, analyst)]
