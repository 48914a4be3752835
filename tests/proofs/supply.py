"""Seeded deliveries for any bronze table, made from what it and the tables above it declare: few keys, so that they collide."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from lakehouse import storage
from lakehouse.declare.columns import Column
from lakehouse.declare.rules import Rule
from lakehouse.declare.sources import ChangeRows, Csv
from lakehouse.declare.tables import Table
from lakehouse.graph import Graph

FIRST_DAY = datetime(2026, 11, 16, tzinfo=UTC)
DAYS = 4
THINGS = 7
"""Different values an id takes."""
GUESSES = (
    "anna@example.com", "DE", "EUR", "0123456789abcdef0123456789abcdef", "0123456789abcdef", "https://shop.example/a",
    "2026-11-17", "2026-11-17T10:00:00Z", "12", "12.50", "A1", "C0000001", "P0001", "O000000001", "O000000001-1", "R000000001", "536365",
)  # fmt: skip
"""Texts tried against a `matches` rule."""


@dataclass
class Stream:
    """One bronze table's source: what may be in its columns, and what was delivered so far."""

    table: Table
    kinds: dict[str, str]
    rules: dict[str, list[Rule]]
    identity: tuple[str, ...]
    never_null: frozenset[str]
    fresh: str
    """The column that never repeats, where a table above reads the rows as one a key; else empty."""
    sequence: int = 0
    clock: datetime = FIRST_DAY
    sent: list[dict[str, Any]] = field(default_factory=list)
    late: list[dict[str, Any]] = field(default_factory=list)


def streams(graph: Graph) -> list[Stream]:
    """A stream for each bronze table of a graph."""
    return [_stream(graph, t) for t in graph.tables.values() if t.layer == "bronze"]


def _stream(graph: Graph, table: Table) -> Stream:
    readers = [graph[n] for n in graph.downstream(table.name) if graph[n].kind == "table"]
    above = [*readers, *(graph[n] for r in readers for n in graph.downstream(r.name) if graph[n].kind == "table")]
    names = [c.name for c in table.columns]
    kinds, rules = {}, {}
    for column in table.columns:
        same = [c for t in above for c in t.columns if c.name == column.name]
        kinds[column.name] = _kind(column, same)
        rules[column.name] = [r for c in (column, *same) for r in c.rules]
    keys = [r.key for r in readers if set(r.key) <= set(names)]
    one_a_key = [r for r in readers if not r.latest_by and any(i.name == table.name and i.mode == "changes" for i in r.inputs)]
    ids = [n for n in names if n.endswith("_id")] or [n for n in names if table.columns[names.index(n)].type == "string"] or names
    required = {c.name for t in (table, *readers) for c in t.columns if c.required} | {
        r.column for t in (table, *readers) for r in t.rules if r.action == "stop" and r.name == "not_null"
    }
    touched = {g for r in readers for i in r.inputs if i.name == table.name for g in i.groups if g in r.key}
    in_a_key = {k for r in readers for k in r.key if k in names}
    identity = next(iter(keys), (ids[0],))
    return Stream(
        table, kinds, rules, identity, frozenset({*in_a_key, *required, *touched, *identity}),
        fresh=_fresh(one_a_key, names, ids) if one_a_key and not isinstance(table.source, ChangeRows) else "",
    )  # fmt: skip


def _fresh(readers: list[Table], names: list[str], ids: list[str]) -> str:
    """Of the key of a table that reads one row a key, the last column that is the stream's own; else the last id."""
    keys = [k for r in readers for k in r.key if k in names and k in ids]
    return keys[-1] if keys else ids[-1]


def _kind(column: Column, same: list[Column]) -> str:
    """The type of what is written into a column: text that a table above makes a number of is a number's text."""
    if column.type != "string":
        return column.type
    known = next((c.type for c in same if c.type != "string"), "string")
    if known == "string" and column.name.endswith("_at"):
        return "timestamp"
    if known == "string" and (column.name.endswith("_date") or column.name in ("day", "date", "date_start", "date_stop")):
        return "date"
    return known


class Supply:
    """Deliveries of all streams of a graph, from one seed."""

    def __init__(self, graph: Graph, seed: int) -> None:
        self.chance = Random(seed)
        self.streams = streams(graph)
        self.batch = 0
        self.serial = 0

    def deliver(self, landing: str, lines: int, share: float = 1.0) -> list[str]:
        """Land one batch: up to `lines` lines for a `share` of the streams; returns the objects' names."""
        self.batch += 1
        names, sources = [], set()
        for stream in self.streams:
            if self.chance.random() > share and not stream.late:
                continue
            texts = self._lines(stream, lines)
            name = self._name(stream.table)
            storage.put(f"{landing}/{name}", _packed(stream.table, name, texts))
            names.append(name)
            if isinstance(stream.table.source, ChangeRows):
                sources.add(stream.table.source.name)
        for source in sources:
            storage.put(f"{landing}/{source}/_batches/{self.batch:010d}.json", b"{}")
        return names

    def _name(self, table: Table) -> str:
        assert table.source is not None
        prefix, period = table.source.prefix, table.source.period
        if isinstance(table.source, ChangeRows):
            return f"{prefix}/{self.batch:010d}.jsonl.gz"
        moment = FIRST_DAY + (timedelta(hours=self.batch) if period == "hour" else timedelta(days=self.batch))
        stem = {"hour": f"{moment:%Y-%m-%dT%H}", "day": f"{moment:%Y-%m-%d}"}.get(period, f"{self.batch:010d}")
        return f"{prefix}/{stem}.csv" if isinstance(table.source, Csv) else f"{prefix}/{stem}.jsonl.gz"

    def _lines(self, stream: Stream, lines: int) -> list[dict[str, Any] | str]:
        """New lines, late ones, repeated ones and now and then a broken one, in any order."""
        chance = self.chance
        new = [self._line(stream) for _ in range(chance.randint(max(1, lines // 2), lines))]
        given: list[dict[str, Any] | str] = [*stream.late]
        stream.late = []
        for line in new:
            (stream.late if chance.random() < 0.12 else given).append(line)
        if stream.sent and not stream.fresh:
            given += [chance.choice(stream.sent) for _ in range(chance.randint(0, 2))]
        stream.sent += [g for g in given if isinstance(g, dict)]
        if chance.random() < 0.1 and not isinstance(stream.table.source, Csv):
            given.append('{"broken')
        chance.shuffle(given)
        return given

    def _line(self, stream: Stream) -> dict[str, Any]:
        self.serial += 1
        row = {c.received_as: self._value(stream, c) for c in stream.table.columns}
        if not isinstance(stream.table.source, ChangeRows):
            return row
        stream.sequence += self.chance.randint(1, 3)
        stream.clock += timedelta(minutes=self.chance.choice([0, 7, 200]))
        is_delete = self.chance.random() < 0.2
        kept = {c.received_as for c in stream.table.columns if c.name in stream.identity}
        return {
            "sequence": stream.sequence, "operation": "delete" if is_delete else "upsert", "at": stream.clock.isoformat(),
            "row": {n: v for n, v in row.items() if n in kept} if is_delete else row,
        }  # fmt: skip

    def _value(self, stream: Stream, column: Column) -> Any:
        chance, kind, rules = self.chance, stream.kinds[column.name], stream.rules[column.name]
        if column.name == stream.fresh:
            return f"{column.name}-{self.serial:05d}"
        if column.name not in stream.never_null and chance.random() < 0.12:
            return None
        value = self._of_kind(column.name, kind, rules)
        is_number = not isinstance(value, str | bool) and value is not None
        return str(value) if is_number and column.type == "string" else value

    def _of_kind(self, name: str, kind: str, rules: list[Rule]) -> Any:
        chance = self.chance
        listed = [r for r in rules if r.name.startswith("one_of(")]
        if listed and (kind == "string" or any(r.action == "stop" for r in listed)):
            if chance.random() > 0.08 or any(r.action == "stop" for r in listed):
                return chance.choice(re.findall(r"'((?:[^'\\]|\\.)*)'", listed[0].predicate))
            return "none of those"
        patterns = [m[1] for r in rules if (m := re.fullmatch(r"matches\((.*)\)", r.name, re.S))]
        if patterns:
            fitting = [g for g in GUESSES if all(re.search(p, g) for p in patterns)]
            if fitting:
                return fitting[0]
        if kind in ("timestamp", "date"):
            moment = FIRST_DAY + timedelta(minutes=chance.randrange(DAYS * 24 * 60))
            return f"{moment:%Y-%m-%d}" if kind == "date" else moment.isoformat()
        if kind == "boolean":
            return chance.random() < 0.5
        if kind in ("int", "bigint", "smallint", "tinyint"):
            return chance.randint(-1 if self._may_be_negative(rules) and chance.random() < 0.1 else 1, 12)
        if kind.startswith("decimal") or kind in ("double", "float"):
            amount = Cents(chance.randint(0, 10_000))
            return Cents(-amount.cents) if self._may_be_negative(rules) and chance.random() < 0.12 else amount
        if kind.startswith(("array", "struct", "map", "binary")):
            return None
        if name.endswith("_id"):
            return f"{name.removesuffix('_id')[0].upper()}{chance.randint(1, THINGS):04d}"
        if "email" in name:
            return f"person{chance.randint(1, THINGS)}@example.com"
        if "currency" in name:
            return "EUR"
        return f"{name} {chance.randint(1, 3)}"

    @staticmethod
    def _may_be_negative(rules: list[Rule]) -> bool:
        return not any(r.action == "stop" for r in rules)


@dataclass(frozen=True)
class Cents:
    """Money that is written with two decimals."""

    cents: int

    def __str__(self) -> str:
        sign = "-" if self.cents < 0 else ""
        return f"{sign}{abs(self.cents) // 100}.{abs(self.cents) % 100:02d}"


def _json(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {_json(v)}" for k, v in value.items()) + "}"
    return str(value) if isinstance(value, Cents) else json.dumps(value)


def _packed(table: Table, name: str, lines: list[dict[str, Any] | str]) -> bytes:
    if isinstance(table.source, Csv):
        fields = [c.received_as for c in table.columns]
        rows = [line for line in lines if isinstance(line, dict)]
        shown = [table.source.delimiter.join("" if row[f] is None else str(row[f]) for f in fields) for row in rows]
        text = "\n".join([table.source.delimiter.join(fields), *shown])
        return text.encode(table.source.encoding)
    body = "\n".join(line if isinstance(line, str) else _json(line) for line in lines).encode()
    return gzip.compress(body, mtime=0) if name.endswith(".gz") else body
