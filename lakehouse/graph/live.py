"""What is refused of virtual tables and of tables that read them."""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from sqlglot import exp

from lakehouse.declare.tables import Table

Tables = dict[str, Table]


def declared(table: Table, tables: Tables) -> Iterator[str]:
    """How a virtual table must be declared: in bronze, a query and its contract, nothing that needs stored rows."""
    live = [i for i in table.inputs if i.mode == "live"]
    if table.live is None:
        if live:
            yield 'a parameter annotated Live reads a query. Add live=LiveQuery("shop", "SELECT …").'
        return
    if table.layer != "bronze":
        yield f"only bronze tables are virtual; this one is in jobs/{table.layer}/. Move the file, and read that table here."
    if len(live) != 1 or len(table.inputs) != 1:
        yield "a virtual table reads its query and nothing else. Give it one parameter: `live: Live`."
    stored = {
        "source": table.source, "latest_by": table.latest_by, "deleted_when": table.deleted_when, "partitioned_by": table.partitioned_by,
        "minimum_score": table.minimum_score, "rules and checks": table.rules,
    }  # fmt: skip
    for name in (n for n, given in stored.items() if given):
        yield f"{name} goes with stored rows, and of a virtual table none are stored. Declare it on the table that reads this one."
    yield from _query(table.live.sql)


def _query(sql: str) -> Iterator[str]:
    try:
        trees = sqlglot.parse(sql, dialect="postgres")
    except sqlglot.errors.ParseError as error:
        yield f"the query of LiveQuery cannot be parsed: {str(error).splitlines()[0]}"
        return
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        yield "the query of LiveQuery must be one SELECT. Remove further statements and anything that writes."


def read(table: Table, tables: Tables) -> Iterator[str]:
    """How a virtual table may be read: it has no history, so nobody can know what changed in it."""
    for each in table.inputs:
        other = tables.get(each.name)
        if other is None or other.live is None:
            continue
        if table.kind == "model":
            yield f"a model reads '{each.name}', which is virtual: its training could not be repeated. Read a silver table made from it."
        elif each.mode in ("changes", "touched"):
            yield (
                f"'{each.name}' is virtual and is read as {each.mode.capitalize()}: it keeps no history, so nobody knows what changed "
                "in it. Annotate it Snapshot (each run reads it anew and writes what differs), or Frozen."
            )


def source_tables(sql: str) -> tuple[str, ...]:
    """Tables of the database that a query reads, as `schema.name`, in order."""
    tree = sqlglot.parse_one(sql, dialect="postgres")
    hidden = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    found = (t for t in tree.find_all(exp.Table) if isinstance(t.this, exp.Identifier) and (t.db or t.name not in hidden))
    return tuple(sorted({f"{t.db or 'public'}.{t.name}" for t in found}))
