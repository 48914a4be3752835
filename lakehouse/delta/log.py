"""A Delta table's log, read from the store as JSON without Spark: 0.01 s a commit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lakehouse import storage

APP = "lakehouse"
"""The `txnAppId` of every publication; its numbers are compared and swapped."""


@dataclass(frozen=True)
class Commit:
    """One commit: its version and actions."""

    version: int
    actions: tuple[dict[str, Any], ...] = field(repr=False)

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [action[kind] for action in self.actions if kind in action]

    @property
    def changes_data(self) -> bool:
        """Whether rows were added, removed or changed; OPTIMIZE and properties do not."""
        return any(a.get("dataChange", True) for kind in ("add", "remove") for a in self._of(kind)) or bool(self._of("cdc"))

    @property
    def removes_data(self) -> bool:
        """Whether rows may have gone or changed, not only come."""
        return any(a.get("dataChange", True) for a in self._of("remove")) or bool(self._of("cdc"))

    @property
    def changes_schema(self) -> bool:
        """Whether metadata with a schema was written."""
        return any("schemaString" in a for a in self._of("metaData"))

    @property
    def table_id(self) -> str | None:
        """The table's id, where the commit carries metadata."""
        return next((a["id"] for a in self._of("metaData") if "id" in a), None)

    @property
    def number(self) -> int | None:
        """The transaction number, where the commit is a publication."""
        return next((a["version"] for a in self._of("txn") if a.get("appId") == APP), None)

    @property
    def info(self) -> dict[str, Any]:
        """The commit information: operation, metrics, metadata."""
        return next(iter(self._of("commitInfo")), {})

    @property
    def metadata(self) -> dict[str, Any] | None:
        """What the run wrote about itself; only a publication's counts, for Spark's setting sticks to later commits."""
        if self.number is None:
            return None
        try:
            written = json.loads(self.info.get("userMetadata") or "null")
        except json.JSONDecodeError:
            return None
        return written if isinstance(written, dict) else None

    @property
    def restored_to(self) -> int | None:
        """The version that RESTORE brought back, where the commit is one and says so."""
        if self.info.get("operation") != "RESTORE":
            return None
        version = self.info.get("operationParameters", {}).get("version")
        return int(version) if version not in (None, "null") else None

    @property
    def bytes_changed(self) -> int:
        """Size of the files that hold this commit's changes."""
        changed = self._of("cdc") or [a for a in self._of("add") + self._of("remove") if a.get("dataChange", True)]
        return sum(int(a.get("size") or 0) for a in changed)

    @property
    def is_publication_or_change(self) -> bool:
        """Whether this commit counts in the compare-and-swap."""
        return self.changes_data or self.number is not None


class DeltaLog:
    """The log of the table at `uri`, listed once when first asked."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._commits: dict[int, Commit] = {}

    @cached_property
    def versions(self) -> tuple[int, ...]:
        """Versions whose commit file is near the end of the log, ascending; empty where there is no table."""
        checkpoint = self._checkpoint()
        after = f"{self.uri}/_delta_log/{max(0, checkpoint - 1):020d}" if checkpoint else None
        return self._listed(after)

    def _listed(self, after: str | None) -> tuple[int, ...]:
        found = storage.list_objects(f"{self.uri}/_delta_log/0", after=after)
        numbers = (re.fullmatch(r".*/(\d{20})\.json", each.uri) for each in found)
        return tuple(int(n.group(1)) for n in numbers if n)

    def _checkpoint(self) -> int:
        body = storage.get(f"{self.uri}/_delta_log/_last_checkpoint")
        return int(json.loads(body)["version"]) if body else 0

    @property
    def version(self) -> int | None:
        """The newest version, None where there is no table."""
        return self.versions[-1] if self.versions else None

    def commit(self, version: int) -> Commit | None:
        """One commit, None where the log no longer holds it."""
        if version not in self._commits:
            body = storage.get(f"{self.uri}/_delta_log/{version:020d}.json")
            if body is None:
                return None
            self._commits[version] = Commit(version, tuple(json.loads(line) for line in body.splitlines() if line.strip()))
        return self._commits[version]

    def back(self, start: int | None = None) -> Iterator[Commit]:
        """Commits from the newest (or `start`) backwards, as far as the log reaches."""
        version = self.version if start is None else start
        while version is not None and version >= 0:
            commit = self.commit(version)
            if commit is None:
                return
            yield commit
            version -= 1

    def between(self, after: int, until: int) -> list[Commit] | None:
        """Commits in (after, until], ascending; None where the log no longer reaches back so far."""
        found = [self.commit(version) for version in range(after + 1, until + 1)]
        return None if None in found else [c for c in found if c is not None]

    @cached_property
    def id(self) -> str | None:
        """The table's id: from the first commit, else from the newest that says it."""
        first = self.commit(0)
        if first is not None and first.table_id:
            return first.table_id
        for commit in self.back():
            if commit.table_id:
                return commit.table_id
            if commit.metadata and commit.metadata.get("table_id"):
                return str(commit.metadata["table_id"])
        return None

    def newest_that_counts(self, start: int | None = None) -> Commit | None:
        """The newest commit that changed data or published; the one a state must be read from."""
        return next((c for c in self.back(start) if c.is_publication_or_change), None)
