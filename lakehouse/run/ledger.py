"""Which landed objects a bronze table has taken: said by its own commits, with a snapshot beside them to keep it quick."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field

from lakehouse import storage
from lakehouse.declare.sources import ChangeRows, Source
from lakehouse.declare.tables import Table
from lakehouse.delta.location import ledger_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.run.state import state_of
from lakehouse.settings import settings

DUPLICATE = "duplicate "


@dataclass(frozen=True)
class Landing:
    """New objects to take, and those left aside because their content was taken before (both: address → content identity)."""

    take: dict[str, str] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)

    @property
    def consumed(self) -> dict[str, str]:
        """What the run's commit records."""
        return {**self.take, **{name: DUPLICATE + identity for name, identity in self.aside.items()}}

    @property
    def bytes(self) -> int:
        """Size of the objects to take, as stored."""
        return sum(int(identity.split(":")[1]) for identity in self.take.values())


def new_objects(table: Table, log: DeltaLog) -> Landing:
    """Objects under the source's prefix that no commit of the table has taken."""
    source = table.source
    assert source is not None
    taken = objects_taken(table, log)
    by_content = _by_content(source)
    contents = {_content(identity) for identity in taken.values()} if by_content else set()
    take: dict[str, str] = {}
    aside: dict[str, str] = {}
    for each in _complete(source):
        name = each.uri.removeprefix(f"{settings().landing}/")
        seen = f"{each.etag}:{each.size}"
        if taken.get(name, "").removeprefix(DUPLICATE).startswith(seen):
            continue
        identity = f"{seen}:{_hashed(each.uri)}" if by_content else seen
        if by_content and _content(identity) in contents:
            aside[name] = identity
            continue
        contents.add(_content(identity))
        take[name] = identity
    return Landing(take, aside)


def _content(identity: str) -> str:
    return identity.rsplit(":", 1)[-1]


def _hashed(uri: str) -> str:
    """The content's hash, streamed; unpacked, so that a file packed anew is the same delivery."""
    from lakehouse.sources.read import content_hash

    bucket, key = storage.split(uri)
    return content_hash(storage.client().get_object(Bucket=bucket, Key=key)["Body"])  # type: ignore[arg-type]


def _by_content(source: Source) -> bool:
    """Whether the same content under another name is the same delivery; an hour's or a batch's name is part of what it says."""
    return not source.period and not isinstance(source, ChangeRows)


def _complete(source: Source) -> list[storage.Object]:
    listed = list(storage.list_objects(f"{settings().landing}/{source.prefix}/"))
    if not isinstance(source, ChangeRows):
        return listed
    manifests = storage.list_objects(f"{settings().landing}/{source.name}/_batches/")
    whole = {_stem(m.uri) for m in manifests}
    return [each for each in listed if _stem(each.uri) in whole]


def _stem(uri: str) -> str:
    return uri.rsplit("/", 1)[1].split(".")[0]


def objects_taken(table: Table, log: DeltaLog) -> dict[str, str]:
    """All objects taken so far: the newest snapshot of the ledger, and the commits since."""
    known, snapshot = _snapshot(table, log)
    taken: dict[str, str] = {}
    version = log.version
    while version is not None and version > known:
        commit = log.commit(version)
        if commit is None:
            break
        if commit.restored_to is not None:  # what came in between was taken back with its rows
            version = commit.restored_to
            if version < known:
                known, snapshot = -1, {}
            continue
        state = state_of(commit)
        taken |= {n: i for n, i in (state.objects if state else {}).items() if n not in taken}
        version -= 1
    return {**snapshot, **taken}


def _snapshot(table: Table, log: DeltaLog) -> tuple[int, dict[str, str]]:
    body = storage.get(f"{ledger_uri(table.name)}.json.gz")
    if body is None:
        return -1, {}
    kept = json.loads(gzip.decompress(body))
    return (kept["version"], kept["objects"]) if kept["id"] == log.id and kept["version"] <= (log.version or -1) else (-1, {})


def keep(table: Table) -> None:
    """Write the snapshot anew after a publication; losing it costs time, not truth, as long as the log reaches back."""
    log = DeltaLog(table_uri(table))
    body = {"id": log.id, "version": log.version, "objects": objects_taken(table, log)}
    storage.put(f"{ledger_uri(table.name)}.json.gz", gzip.compress(json.dumps(body).encode()))
