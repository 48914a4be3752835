"""What a piece of SQL reads and does, from its syntax tree: aliases, CTEs, quoting and nesting understood."""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from lakehouse.errors import LakehouseError

CLOCKS = frozenset(
    [
        "now",
        "current_timestamp",
        "current_date",
        "current_time",
        "localtimestamp",
        "unix_timestamp",
        "rand",
        "randn",
        "random",
        "randstr",
        "shuffle",
        "uniform",
        "uuid",
        "curdate",
        "monotonically_increasing_id",
        "input_file_name",
    ]
)
_WHOLE = (exp.AggFunc, exp.Window, exp.Distinct, exp.Limit, exp.Group, exp.Having, exp.Offset)


class SQLError(LakehouseError):
    """SQL that cannot be parsed, with the place in it."""


@lru_cache(maxsize=4096)
def parsed(sql: str) -> exp.Query | exp.Values:
    """The syntax tree of one statement, in Spark's dialect."""
    try:
        trees = sqlglot.parse(sql, dialect="spark")
    except sqlglot.errors.ParseError as error:
        first = error.errors[0] if error.errors else {}
        raise SQLError(
            f"the SQL cannot be parsed: {first.get('description', error)} at line {first.get('line')}, near '{first.get('highlight', '')}'."
        ) from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query | exp.Values):
        raise SQLError("the SQL must be one SELECT. Remove further statements and anything that writes.")
    return trees[0]


def tables_read(sql: str) -> set[str]:
    """Names of the tables a SELECT reads; common table expressions are not among them, `a.b` stays qualified."""
    tree = parsed(sql).copy()
    for identifier in tree.find_all(exp.Identifier):  # Spark's names have no case, scopes tell them apart by it
        identifier.set("this", identifier.name.lower())
    read: set[str] = set()
    seen: set[int] = set()
    for scope in traverse_scope(tree):
        for source in scope.sources.values():
            if isinstance(source, exp.Table):
                read.add(_name(source))
        seen.update(id(t) for t in scope.tables)
    hidden = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    for reference in tree.find_all(exp.Table):  # places scopes do not reach
        if id(reference) not in seen and _name(reference) not in hidden:
            read.add(_name(reference))
    return {name for name in read if name}


def _name(reference: exp.Table) -> str:
    if not isinstance(reference.this, exp.Identifier):
        return ""  # a table function: range(…), explode(…), VALUES
    return ".".join(part.name for part in reference.parts).lower()


def nested_reads(text: str) -> set[str]:
    """Tables read by subqueries inside an expression string such as `where("x IN (SELECT …)")`."""
    if "select" not in text.lower():
        return set()
    return tables_read(f"SELECT {text}")


def clocks(sql: str) -> set[str]:
    """Functions of time or chance that the SQL calls."""
    found = set()
    for call in parsed(sql).find_all(exp.Func):
        names = {call.sql_name().lower(), call.key.lower(), call.name.lower() if isinstance(call, exp.Anonymous) else ""}
        found |= names & CLOCKS
        if isinstance(call, exp.CurrentTimestamp | exp.CurrentDate | exp.CurrentTime | exp.Rand | exp.Randn):
            found.add(call.sql_name().lower())
    return found


def whole_table_operations(sql: str) -> set[str]:
    """Operations whose result for one row depends on other rows: aggregates, windows, DISTINCT, LIMIT, set operations."""
    tree = parsed(sql)
    found = {type(node).__name__.lower() for node in tree.find_all(*_WHOLE)}
    found |= {type(n).__name__.lower() for n in tree.find_all(exp.Except, exp.Intersect)}
    found |= {"union distinct" for n in tree.find_all(exp.Union) if n.args.get("distinct")}
    for join in tree.find_all(exp.Join):
        if join.side in ("RIGHT", "FULL"):
            found.add(f"{join.side.lower()} join")
    return found


def filters(sql: str) -> bool:
    """Whether the SELECT leaves rows out by WHERE, QUALIFY or a join that can."""
    tree = parsed(sql)
    return any(True for _ in tree.find_all(exp.Where, exp.Qualify))
