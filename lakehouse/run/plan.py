"""What a function's plan reads and does, walked on the client; the frames the engine handed in are leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakehouse.declare.tables import Table
from lakehouse.errors import LakehouseError
from lakehouse.graph import reads

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

WHOLE = {
    "aggregate": "an aggregate",
    "deduplicate": "DISTINCT",
    "limit": "LIMIT",
    "offset": "OFFSET",
    "tail": "LIMIT",
    "sample": "a sample",
}
RIGHT_JOINS = {2: "a full outer join", 4: "a right outer join"}
_FOREIGN = {
    "local_relation": "local rows", "cached_local_relation": "local rows", "cached_remote_relation": "a checkpoint",
    "range": "a range of numbers",
}  # fmt: skip


class UndeclaredRead(LakehouseError):
    """The plan reads something that is no parameter."""


class NotRowWise(LakehouseError):
    """An operation over an input annotated Changes whose result needs rows that are not there."""


@dataclass
class Walk:
    """What was met: ids of the engine's frames, other reads, operations, calls of time or chance."""

    frames: set[int] = field(default_factory=set)
    foreign: list[str] = field(default_factory=list)
    operations: set[str] = field(default_factory=set)
    clocks: set[str] = field(default_factory=set)
    filters: bool = False
    named: set[str] = field(default_factory=set)
    """Frames handed to `spark.sql("… {x}", x=frame)`, which it reads under names of its own."""


def plan_id(frame: DataFrame) -> int:
    """The client's id of a frame's plan."""
    return int(frame._plan._plan_id)  # type: ignore[attr-defined]


def walk(frame: DataFrame, given: set[int]) -> Walk:
    """Walk the unresolved plan without asking the server; `given` are ids of frames not to look into."""
    found = Walk()
    client = frame.sparkSession.client  # type: ignore[attr-defined]
    _message(frame._plan.to_proto(client), given, found)  # type: ignore[attr-defined]
    return found


def _message(message: Any, given: set[int], found: Walk) -> None:
    kind = message.DESCRIPTOR.name
    if kind == "Relation":
        if message.common.plan_id in given and message.common.HasField("plan_id"):
            found.frames.add(message.common.plan_id)
            return
        _relation(message, found)
    elif kind == "UnresolvedFunction":
        if message.function_name.lower() in reads.CLOCKS:
            found.clocks.add(message.function_name.lower())
        if message.is_distinct:
            found.operations.add("an aggregate")
    elif kind == "ExpressionString":
        _text(message.expression, found)
    elif kind == "Window":
        found.operations.add("a window")
    for inner in _children(message):
        _message(inner, given, found)


def _children(message: Any) -> Iterator[Any]:
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        if descriptor.message_type.GetOptions().map_entry:
            yield from (v for v in value.values() if hasattr(v, "DESCRIPTOR"))
        elif hasattr(value, "DESCRIPTOR"):
            yield value
        else:
            yield from value


def _relation(message: Any, found: Walk) -> None:
    kind = message.WhichOneof("rel_type")
    if kind == "read":
        source = message.read
        named = source.named_table.unparsed_identifier if source.HasField("named_table") else ""
        found.foreign.append(f"the table '{named}'" if named else f"the path {', '.join(source.data_source.paths) or '?'}")
    elif kind in _FOREIGN:
        found.foreign.append(_FOREIGN[kind])
    elif kind in WHOLE:
        found.operations.add(WHOLE[kind])
    elif kind == "filter":
        found.filters = True
    elif kind == "with_relations":
        found.named |= {r.subquery_alias.alias.lower() for r in message.with_relations.references if r.HasField("subquery_alias")}
    elif kind == "sql":
        read = reads.tables_read(message.sql.query) - found.named
        found.foreign.extend(f"the table '{t}' in SQL text" for t in sorted(read))
        found.operations |= reads.whole_table_operations(message.sql.query)
        found.clocks |= reads.clocks(message.sql.query)
        found.filters |= reads.filters(message.sql.query)
    elif kind == "join" and message.join.join_type in RIGHT_JOINS:
        found.operations.add(RIGHT_JOINS[message.join.join_type])
    elif kind == "set_op" and (message.set_op.set_op_type != 2 or not message.set_op.is_all):
        found.operations.add("a set operation other than UNION ALL")


def _text(expression: str, found: Walk) -> None:
    found.foreign.extend(f"the table '{t}' in an expression" for t in sorted(reads.nested_reads(expression)))
    sql = f"SELECT {expression}"
    found.clocks |= reads.clocks(sql)
    if reads.whole_table_operations(sql):
        found.operations |= reads.whole_table_operations(sql)


def check(table: Table, out: DataFrame, given: dict[str, DataFrame]) -> list[str]:
    """Refuse what the design forbids; returns warnings (an input that is never used)."""
    ids = {plan_id(frame): name for name, frame in given.items()}
    found = walk(out, set(ids))
    if found.foreign:
        raise UndeclaredRead(
            f"{table.name}: it reads {found.foreign[0]}, which is no parameter. A table reads its parameters and nothing else: "
            f"add a parameter named after the table and use that frame.\n  {table.where}"
        )
    if found.clocks:
        raise LakehouseError(
            f"{table.name}: it calls {sorted(found.clocks)[0]}(); a table has no clock and no chance, so that running it again "
            f"changes nothing. Take `as_of: AsOf`, or a column of the data.\n  {table.where}"
        )
    _row_wise(table, found)
    unused = [name for plan, name in ids.items() if plan not in found.frames]
    return [f"{table.name}: parameter '{name}' is never used. Remove it: it makes the table wait for nothing." for name in unused]


def _row_wise(table: Table, found: Walk) -> None:
    if not any(i.mode == "changes" for i in table.inputs):
        return
    if found.operations:
        raise NotRowWise(
            f"{table.name}: it uses {sorted(found.operations)[0]} over an input annotated Changes, which holds changed rows only. "
            f'Annotate the input Touched["column"] (whole groups) or Snapshot (the whole table).\n  {table.where}'
        )
    if table.latest_by and found.filters:
        raise NotRowWise(
            f"{table.name}: it filters rows and declares latest_by: a row that leaves the filter would keep its old version. "
            f"Filter in the table that reads this one.\n  {table.where}"
        )
