"""Messages of `pgoutput`, protocol version 1, as Postgres documents them ("Logical Replication Message Formats")."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
UNCHANGED = object()
"""Stands for a large value that an update did not change and that the log does not hold."""

Values = tuple[object, ...]
"""Text as the server writes it, None for null, or UNCHANGED; one for each column of the relation."""


@dataclass(frozen=True)
class Begin:
    """A committed transaction follows; `commit` is where its commit stands in the log."""

    commit: int
    at: datetime


@dataclass(frozen=True)
class Commit:
    """The transaction ends; `end` is where the log goes on."""

    end: int


@dataclass(frozen=True)
class Relation:
    """What a table looks like from here on: names and type numbers of its columns."""

    oid: int
    schema: str
    table: str
    columns: tuple[str, ...]
    types: tuple[int, ...]
    identity: tuple[bool, ...]


@dataclass(frozen=True)
class Insert:
    """A new row."""

    oid: int
    new: Values


@dataclass(frozen=True)
class Update:
    """A changed row; `old` is there where the key changed ('K': the key's columns alone) or all of it is logged ('O')."""

    oid: int
    old: Values | None
    new: Values


@dataclass(frozen=True)
class Delete:
    """A row that went: its key's columns, or all of it."""

    oid: int
    old: Values


@dataclass(frozen=True)
class Truncate:
    """Tables that were emptied at once."""

    oids: tuple[int, ...]


@dataclass(frozen=True)
class Note:
    """A message that somebody wrote into the log."""

    prefix: str
    content: bytes


Message = Begin | Commit | Relation | Insert | Update | Delete | Truncate | Note | None


def decode(body: bytes) -> Message:
    """One message; None for kinds that say nothing of rows (types, origins)."""
    kind, read = body[:1], _Reader(body)
    match kind:
        case b"B":
            commit, micros, _ = read.take("!qqi")
            return Begin(commit, EPOCH + timedelta(microseconds=micros))
        case b"C":
            _, _, end, _ = read.take("!bqqq")
            return Commit(end)
        case b"R":
            return _relation(read)
        case b"I":
            oid, _ = read.take("!Ic")
            return Insert(oid, read.values())
        case b"U":
            oid, what = read.take("!Ic")
            old = None
            if what in (b"K", b"O"):
                old = read.values()
                read.take("!c")
            return Update(oid, old, read.values())
        case b"D":
            oid, _ = read.take("!Ic")
            return Delete(oid, read.values())
        case b"T":
            count, _ = read.take("!ib")
            return Truncate(read.take(f"!{count}I"))
        case b"M":
            read.take("!bq")
            prefix = read.name()
            (size,) = read.take("!i")
            return Note(prefix, read.bytes(size))
    return None


def _relation(read: _Reader) -> Relation:
    (oid,) = read.take("!I")
    schema, table = read.name(), read.name()
    _, count = read.take("!ch")
    columns = []
    for _ in range(count):
        (flags,) = read.take("!b")
        name = read.name()
        kind, _ = read.take("!Ii")
        columns.append((name, kind, bool(flags & 1)))
    names, types, identity = zip(*columns, strict=True) if columns else ((), (), ())
    return Relation(oid, schema, table, names, types, identity)


class _Reader:
    def __init__(self, body: bytes) -> None:
        self.body, self.at = body, 1

    def take(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(form, self.body, self.at)
        self.at += struct.calcsize(form)
        return found

    def bytes(self, size: int) -> bytes:
        found = self.body[self.at : self.at + size]
        self.at += size
        return found

    def name(self) -> str:
        end = self.body.index(b"\0", self.at)
        found = self.body[self.at : end].decode()
        self.at = end + 1
        return found

    def values(self) -> Values:
        (count,) = self.take("!h")
        found: list[object] = []
        for _ in range(count):
            kind = self.bytes(1)
            if kind == b"t":
                (size,) = self.take("!i")
                found.append(self.bytes(size).decode())
            else:
                found.append(UNCHANGED if kind == b"u" else None)
        return tuple(found)
