"""Declared references, looked up between the versions that are about to be shown together.

Postgres itself enforces none of them: a foreign key would lock the table it points to whenever one of the two is replaced or dropped, and
tables are replaced one without the other; a rule that only flags lets rows through that a foreign key would refuse.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from lakehouse.warehouse.connection import Connection
from lakehouse.warehouse.shape import Reference
from lakehouse.warehouse.switch import Showing


def rows_without_counterpart(connection: Connection, showing: Sequence[Showing]) -> tuple[tuple[Reference, int], ...]:
    """For each declared reference, the rows that have no counterpart among the versions shown together."""
    by_table = {s.shape.table: s for s in showing}
    found = []
    for each in showing:
        for reference in each.shape.references:
            if reference.other_table in by_table:
                row = connection.execute(_without(reference, each, by_table[reference.other_table])).fetchone()
                found.append((reference, int(row[0]) if row else 0))
    return tuple(found)


def _without(reference: Reference, here: Showing, there: Showing) -> sql.Composed:
    return sql.SQL(
        "SELECT count(*) FROM {here} h WHERE h.{column} IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM {there} t WHERE t.{other} = h.{column})"
    ).format(
        here=_place(here), there=_place(there),
        column=sql.Identifier(reference.column), other=sql.Identifier(reference.other_column),
    )  # fmt: skip


def _place(showing: Showing) -> sql.Identifier:
    return sql.Identifier("staging" if showing.loaded else "marts_data", showing.data_table)
