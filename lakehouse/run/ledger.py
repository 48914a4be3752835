"""Which landed objects a bronze table has taken: said by its own commits, with a snapshot beside them to keep it quick."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lakehouse import storage
from lakehouse.declare.sources import ChangeRows, Files, Source
from lakehouse.declare.tables import Table
from lakehouse.delta.location import ledger_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.run.accounts import UNKNOWN
from lakehouse.run.corrections import Correction, first, is_correction, objects_of
from lakehouse.run.state import state_of
from lakehouse.settings import settings

DUPLICATE = "duplicate "


@dataclass(frozen=True)
class Landing:
    """What a run has to do with landing (objects: address → content identity)."""

    take: dict[str, str] = field(default_factory=dict)
    """New objects, objects whose content is another than it was, and corrections of lines in quarantine."""
    aside: dict[str, str] = field(default_factory=dict)
    """Objects whose content was taken before under another name."""
    replaced: frozenset[str] = frozenset()
    """Objects whose earlier rows go: they are restated in the same commit."""
    same: dict[str, str] = field(default_factory=dict)
    """Objects uploaded anew with the content they had: only their identity is noted."""
    corrections: tuple[Correction, ...] = ()

    @property
    def consumed(self) -> dict[str, str]:
        """What the run's commit records."""
        return {**self.take, **{name: DUPLICATE + identity for name, identity in self.aside.items()}, **self.same}

    @property
    def in_words(self) -> str:
        """Why a run of it is due, for its report."""
        again = sum(1 for n in self.take if n in self.replaced)
        corrected = sum(1 for n in self.take if is_correction(n))
        parts = {"restated": again, "of corrections": corrected, "delivered before": len(self.aside), "uploaded again": len(self.same)}
        return ", ".join([f"{len(self.take) - again - corrected} new objects", *(f"{n} {what}" for what, n in parts.items() if n)])

    @property
    def bytes(self) -> int:
        """Size of the objects to take, as stored."""
        return sum(int(identity.split(":")[1]) for identity in self.take.values())


def new_objects(table: Table, log: DeltaLog) -> Landing:
    """Objects under the source's prefix that no commit of the table has taken as they are now."""
    source = table.source
    assert source is not None
    taken, accounts = taken_so_far(table, log)
    listed = {each.uri.removeprefix(f"{settings().landing}/"): each for each in _complete(source)}
    put_right = objects_of(table, taken)
    corrections = first(put_right)
    again = {c.source_file for c in corrections if c.again} | _named_since(table, accounts)
    by_content = _by_content(source)
    seen = {n: f"{o.etag}:{o.size}" for n, o in listed.items()}
    moved = {n: now for n, now in seen.items() if n in again or not _plain(taken.get(n, "")).startswith(now)}
    identities = {n: f"{now}:{_hashed(listed[n].uri)}" if by_content else now for n, now in moved.items()}
    same = {
        n: (DUPLICATE if taken[n].startswith(DUPLICATE) else "") + i
        for n, i in identities.items() if by_content and n not in again and n in taken and _content(i) == _content(taken[n])
    }  # fmt: skip
    replaced = frozenset(n for n in identities if n in taken and n not in same and not taken[n].startswith(DUPLICATE))
    left = {_content(i) for n, i in taken.items() if n not in replaced and not i.startswith(DUPLICATE)} if by_content else set()
    freed = {_content(taken[n]) for n in replaced} - left if by_content else set()
    for name, identity in taken.items():  # their rows came from an object that holds something else by now
        if name in listed and name not in moved and identity.startswith(DUPLICATE) and _content(identity) in freed:
            identities[name] = _plain(identity)
    take: dict[str, str] = {}
    aside: dict[str, str] = {}
    for name, identity in identities.items():
        if name in same:
            continue
        if by_content and _content(identity) in left:
            aside[name] = identity
            continue
        left.add(_content(identity))
        take[name] = identity
    restated = replaced | {n for n in take if n in taken}
    corrections = tuple(c for c in corrections if c.again or c.source_file not in restated)
    return Landing({**take, **put_right}, aside, replaced, same, corrections)


def _plain(identity: str) -> str:
    return identity.removeprefix(DUPLICATE)


def _named_since(table: Table, accounts: Mapping[str, list[Any]]) -> set[str]:
    """Objects that held a column which the contract names by now."""
    declared = {c.received_as for c in table.columns}
    return {name for name, account in accounts.items() if len(account) > UNKNOWN and declared & {*account[UNKNOWN]}}


def _content(identity: str) -> str:
    return identity.rsplit(":", 1)[-1]


def _hashed(uri: str) -> str:
    """The content's hash, streamed; unpacked, so that a file packed anew is the same delivery."""
    from lakehouse.sources.read import content_hash

    bucket, key = storage.split(uri)
    return content_hash(storage.client().get_object(Bucket=bucket, Key=key)["Body"])  # type: ignore[arg-type]


def _by_content(source: Source) -> bool:
    """Whether the same content under another name is the same delivery; an hour's, a batch's or a file's name is part of what it says."""
    return not source.period and not isinstance(source, ChangeRows | Files)


def _complete(source: Source) -> list[storage.Object]:
    listed = list(storage.list_objects(f"{settings().landing}/{source.prefix}/"))
    if not isinstance(source, ChangeRows):
        return listed
    manifests = storage.list_objects(f"{settings().landing}/{source.name}/_batches/")
    whole = {_stem(m.uri) for m in manifests}
    return [each for each in listed if _stem(each.uri) in whole]


def _stem(uri: str) -> str:
    return uri.rsplit("/", 1)[1].split(".")[0]


Taken = tuple[dict[str, str], dict[str, list[Any]]]


def taken_so_far(table: Table, log: DeltaLog) -> Taken:
    """All objects taken so far and what became of their lines: the newest snapshot of the ledger, and the commits since."""
    known, snapshot = _snapshot(table, log)
    taken: dict[str, str] = {}
    accounts: dict[str, list[Any]] = {}
    version = log.version
    while version is not None and version > known:
        commit = log.commit(version)
        if commit is None:
            break
        if commit.restored_to is not None:  # what came in between was taken back with its rows
            version = commit.restored_to
            if version < known:
                known, snapshot = -1, ({}, {})
            continue
        state = state_of(commit)
        taken |= {n: i for n, i in (state.objects if state else {}).items() if n not in taken}
        accounts |= {n: a for n, a in (state.accounts if state else {}).items() if n not in accounts}
        version -= 1
    return {**snapshot[0], **taken}, {**snapshot[1], **accounts}


def objects_taken(table: Table, log: DeltaLog) -> dict[str, str]:
    """All objects taken so far, with their content identity."""
    return taken_so_far(table, log)[0]


def _snapshot(table: Table, log: DeltaLog) -> tuple[int, Taken]:
    body = storage.get(f"{ledger_uri(table.name)}.json.gz")
    if body is None:
        return -1, ({}, {})
    kept = json.loads(gzip.decompress(body))
    if kept["id"] != log.id or kept["version"] > (log.version or -1):
        return -1, ({}, {})
    return kept["version"], (kept["objects"], kept.get("accounts", {}))


def keep(table: Table) -> None:
    """Write the snapshot anew after a publication; losing it costs time, not truth, as long as the log reaches back."""
    log = DeltaLog(table_uri(table))
    objects, accounts = taken_so_far(table, log)
    body = {"id": log.id, "version": log.version, "objects": objects, "accounts": accounts}
    storage.put(f"{ledger_uri(table.name)}.json.gz", gzip.compress(json.dumps(body).encode()))
