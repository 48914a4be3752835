"""What is refused when the graph is loaded: each rule one function, each message says received, valid and repair."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from lakehouse.declare.tables import Table
from lakehouse.errors import LakehouseError
from lakehouse.graph import live, reads
from lakehouse.graph.graph import LAYERS
from lakehouse.graph.suggest import did_you_mean

Tables = dict[str, Table]
FORMS = {
    "bronze": (r"[a-z0-9]+(_[a-z0-9]+)*__[a-z0-9_]+", "<source>__<things>"),
    "silver": (r"(?!(fct|dim|agg|feat|pred)_)[a-z][a-z0-9_]*", "<things>, without a prefix of a later layer"),
    "gold": (r"(fct|dim|agg)_[a-z0-9_]+", "fct_<events>, dim_<thing> or agg_<subject>_<grain>"),
    "features": (r"feat_[a-z0-9_]+", "feat_<thing>_<topic>"),
    "models": (r"(?!(fct|dim|agg|feat|pred)_)[a-z][a-z0-9_]*", "<what it predicts>"),
    "predictions": (r"pred_[a-z0-9_]+", "pred_<thing>_<measure>"),
}
PYTHON_CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "random", "uuid4", "uuid1"}


def problems(declared: Sequence[Table]) -> list[str]:
    """All that is wrong, one text a problem; empty where the graph stands."""
    found = list(_repeated(declared))
    tables = {t.name: t for t in declared}
    for table in declared:
        for check in CHECKS:
            try:
                found += [f"{table.name}: {problem}\n  {table.where}" for problem in check(table, tables)]
            except LakehouseError as error:
                found.append(f"{table.name}: {error}\n  {table.where}")
    return found + list(_cycle(tables))


def _repeated(declared: Sequence[Table]) -> Iterator[str]:
    for name, times in Counter(t.name for t in declared).items():
        if times > 1:
            places = [t.where for t in declared if t.name == name]
            yield f"{name}: two tables of one name. Rename one of them.\n  " + "\n  ".join(places)


def _cycle(tables: Tables) -> Iterator[str]:
    reading = {
        n: [i.name for i in t.inputs if i.name in tables] + [r for r in t.references if r in tables and r != n] for n, t in tables.items()
    }
    try:
        TopologicalSorter(reading).prepare()
    except CycleError as error:
        ring = error.args[1][::-1]
        places = "\n  ".join(tables[n].where for n in dict.fromkeys(ring))
        yield f"{ring[0]}: a cycle, {' reads '.join(ring)}. Remove one of these inputs or references.\n  {places}"


def _form(table: Table, tables: Tables) -> Iterator[str]:
    pattern, form = FORMS[table.layer]
    if not re.fullmatch(pattern, table.name):
        yield f"the name does not fit the layer {table.layer}. Valid: {form}."
    if (table.kind == "model") != (table.layer == "models"):
        yield f"a {table.kind} declared in jobs/{table.layer}/. Models belong in jobs/models/, tables in the other folders."


def _known_inputs(table: Table, tables: Tables) -> Iterator[str]:
    for read in table.inputs:
        if read.mode in ("landed", "live"):
            continue
        other = tables.get(read.name)
        if other is None:
            yield f"parameter '{read.name}' is no table.{did_you_mean(read.name, set(tables) - {table.name})}"
        elif LAYERS.index(other.layer) > LAYERS.index(table.layer):
            yield (
                f"a {table.layer} table reads '{read.name}' of the later layer {other.layer}. "
                f"Valid: {', '.join(LAYERS[: LAYERS.index(table.layer) + 1])}. Move one of the two files."
            )
        elif (read.mode == "model") != (other.kind == "model"):
            yield (
                f"parameter '{read.name}' is annotated {read.mode} but is a {other.kind}. "
                f"Annotate it {'Model' if other.kind == 'model' else 'Snapshot'}."
            )


def _watched(table: Table, tables: Tables) -> Iterator[str]:
    if not table.watched_by:
        return
    if table.watched_by not in tables:
        yield f"watched_by='{table.watched_by}' is no table.{did_you_mean(table.watched_by, set(tables))}"
        return
    missing = {"as_of_date", "model_version", "figure", "value", "verdict"} - {c.name for c in tables[table.watched_by].columns}
    if missing:
        yield f"watched_by='{table.watched_by}' lacks the columns {', '.join(sorted(missing))}. Add them to that table."


def _bronze(table: Table, tables: Tables) -> Iterator[str]:
    if table.live is not None or any(i.mode == "live" for i in table.inputs):
        return
    landed = [i for i in table.inputs if i.mode == "landed"]
    if table.layer == "bronze":
        if table.source is None:
            yield 'a bronze table needs its source. Add source=JsonLines("web/events"), Csv(…) or ChangeRows(…).'
        if len(landed) != 1 or len(table.inputs) != 1:
            yield "a bronze table reads landing and nothing else. Give it one parameter: `landed: Landed`."
        yield from _fields(table)
    elif landed or table.source:
        yield f"only bronze tables read landing; this one is in jobs/{table.layer}/. Read a bronze table instead."


def _fields(table: Table) -> Iterator[str]:
    """Formats that name their fields themselves: what a column may be received as."""
    fields = table.source.fields if table.source else ()
    for name in (c.received_as for c in table.columns if fields):
        if name not in fields:
            yield f"'{name}' is no field that {type(table.source).__name__} gives.{did_you_mean(name, fields)}"


def _columns(table: Table, tables: Tables) -> Iterator[str]:
    if table.kind == "model":
        return
    names = [c.name for c in table.columns]
    for name, times in Counter(names).items():
        if times > 1:
            yield f"column '{name}' is declared {times} times. Keep one."
    if table.layer != "bronze" and not table.key:
        yield 'it has no key. Every table above bronze has one: key="…_id".'
    named = (("key", table.key), ("partitioned_by", table.partitioned_by), ("rule", [r.column for r in table.rules if r.column]))
    for what, listed in named:
        for name in listed:
            if name not in names:
                yield f"{what} '{name}' is no column.{did_you_mean(name, names)}"
    if table.when_erased not in ("delete", "empty"):
        yield f"when_erased='{table.when_erased}' is none. Valid: delete, empty."
    elif table.when_erased == "empty" and table.layer != "bronze":
        yield "when_erased= is for bronze: what rests on it follows. Say it of the bronze table."
    if table.deleted_when and not table.latest_by:
        yield "deleted_when= needs latest_by=, which orders a deletion among the other changes. Add it."
    if table.latest_by and not any(i.mode == "changes" for i in table.inputs):
        yield "latest_by= goes with an input annotated Changes."


def _references(table: Table, tables: Tables) -> Iterator[str]:
    for rule in table.rules:
        if rule.kind != "reference":
            continue
        other = tables.get(rule.table)
        if rule.table == table.name:
            yield "the reference looks into the table itself, whose rows are only being made. Check it in a table that reads this one."
        elif other is None:
            yield f"the reference names '{rule.table}', which is no table.{did_you_mean(rule.table, tables)}"
        elif rule.other not in [c.name for c in other.columns]:
            yield (
                f"the reference names '{rule.other}', which is no column of {rule.table}."
                f"{did_you_mean(rule.other, [c.name for c in other.columns])}"
            )
        elif LAYERS.index(other.layer) > LAYERS.index(table.layer):
            yield f"the reference looks into '{rule.table}' of the later layer {other.layer}. Reference a table of an earlier layer."


def _rules(table: Table, tables: Tables) -> Iterator[str]:
    for rule in table.rules:
        if rule.reads_the_clock and rule.action == "quarantine":
            yield f"rule '{rule.id}' depends on the time of the run, so it cannot move rows. Use action=\"flag\"."
    for name, times in Counter(r.id for r in table.rules).items():
        if times > 1:
            yield f"rule '{name}' is declared {times} times. Keep one, or name them apart."


def _modes(table: Table, tables: Tables) -> Iterator[str]:
    by_mode = {mode: [i for i in table.inputs if i.mode == mode] for mode in ("changes", "touched")}
    if len(by_mode["changes"]) > 1:
        names = ", ".join(i.name for i in by_mode["changes"])
        yield f"{len(by_mode['changes'])} inputs are annotated Changes ({names}); one may be. To join changes use Touched[…] on both."
    if by_mode["changes"] and by_mode["touched"]:
        yield "Changes and Touched do not go together. Use Touched[…] on all inputs whose changes count."
    groups = {i.groups for i in by_mode["touched"]}
    if len(groups) > 1:
        shown = ", ".join(f"{i.name}: {list(i.groups)}" for i in by_mode["touched"])
        yield f"all Touched inputs name the same columns; received {shown}."
    for read in by_mode["touched"]:
        other = tables.get(read.name)
        for group in read.groups:
            if other and group not in [c.name for c in other.columns]:
                yield f"Touched['{group}'] is no column of '{read.name}'.{did_you_mean(group, [c.name for c in other.columns])}"
            if group not in [c.name for c in table.columns]:
                yield f"Touched['{group}'] must be a column of this table too, so that its groups can be found. Add it."
    if table.continues and table.kind == "table":
        yield "only a model has a predecessor; a table reads the version served: annotate the model's name Model."
    if table.as_of and table.kind == "table":
        if "as_of_date" not in table.key:
            yield "it takes as_of, so its rows belong to a day: add the column 'as_of_date' (date) to its key."
        if by_mode["changes"] or by_mode["touched"]:
            yield "a table as of a day computes that day from whole inputs: annotate them Snapshot or Frozen."


def _sql(table: Table, tables: Tables) -> Iterator[str]:
    if not table.returns_sql:
        return
    sql = sql_of(table)
    if not isinstance(sql, str):
        yield f"it is annotated `-> SQL` but returned {type(sql).__name__}. Return the SELECT as text."
        return
    declared = {i.name for i in table.inputs}
    read = reads.tables_read(sql)
    for name in sorted(read - declared):
        yield f"the SQL reads '{name}', which is no parameter.{did_you_mean(name, declared)} Add it as a parameter to read it."
    for name in sorted(declared - read):
        yield f"parameter '{name}' is never read by the SQL. Remove it, or read it."
    for name in sorted(reads.clocks(sql)):
        yield f"the SQL calls {name}(): a table has no clock and no chance. Take `as_of: AsOf`, or a column of the data."
    if any(i.mode == "changes" for i in table.inputs):
        for operation in sorted(reads.whole_table_operations(sql)):
            yield f"the SQL uses {operation} over an input annotated Changes, which holds changed rows only. Use Touched[…] or Snapshot."
        if table.latest_by and reads.filters(sql):
            yield "WHERE beside latest_by: a row leaving the filter would keep its old version. Filter in a table that reads this one."


class _Written(str):
    """Stands for a parameter while the SQL is asked for: written into it, a table is its name, the day `:as_of`."""


def sql_of(table: Table) -> object:
    """The SELECT of a SQL-returning table: it depends on the declaration alone, the day is bound when it runs."""
    code = table.function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    try:
        return table.function(**{name: _Written(":as_of" if name == "as_of" else name) for name in names})
    except (AttributeError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise LakehouseError(
            f"the function fails where it should return SQL: {type(error).__name__}: {error}. Return the SELECT as text; "
            "in it write tables by name and the day as :as_of."
        ) from error


def _no_clock(table: Table, tables: Tables) -> Iterator[str]:
    node = function_node(table)
    if node is None or table.kind == "model":
        return
    for call in ast.walk(node):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in PYTHON_CLOCKS):
            continue
        owner = call.func.value
        root = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
        if root in {"datetime", "date", "time", "random", "uuid", "dt"}:
            yield (
                f"line {call.lineno} calls {root}.{call.func.attr}(): a table has no clock and no chance, so that running it "
                "again changes nothing. Take `as_of: AsOf`, or a column of the data."
            )


@lru_cache(maxsize=4096)
def _tree(file: str, stamp: int) -> ast.Module:
    return ast.parse(Path(file).read_text(encoding="utf-8"))


def function_node(table: Table) -> ast.FunctionDef | None:
    """The syntax tree of a table's function."""
    file = table.function.__code__.co_filename
    if not Path(file).is_file():
        return None
    for node in ast.walk(_tree(file, Path(file).stat().st_mtime_ns)):
        if isinstance(node, ast.FunctionDef) and node.name == table.name:
            return node
    return None


CHECKS: tuple[Callable[[Table, Tables], Iterator[str]], ...] = (
    _form, _known_inputs, _watched, _bronze, live.declared, live.read, _columns, _references, _rules, _modes, _sql, _no_clock,
)  # fmt: skip
