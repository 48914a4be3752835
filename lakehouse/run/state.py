"""What a publication says of itself in the table's own log: the only state there is, so nothing can drift."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from lakehouse.delta.log import Commit, DeltaLog


@dataclass(frozen=True)
class Version:
    """A Delta table's id and a version of it."""

    id: str
    version: int


@dataclass(frozen=True)
class State:
    """One run, as its commit records it."""

    run: str
    code: str
    inputs: dict[str, Version]
    table_id: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    """Bronze: landed objects taken by this run, name → content identity."""
    rows: int = 0
    flagged: int = 0
    at: str = ""
    accounts: dict[str, list[Any]] = field(default_factory=dict)
    """Bronze: what became of the lines of objects this run touched, see `lakehouse.run.accounts`."""

    @property
    def score(self) -> float | None:
        """Share of the table's rows that pass every level 2 rule."""
        return None if self.rows <= 0 else (self.rows - self.flagged) / self.rows

    def to_json(self) -> str:
        """For `userMetadata`."""
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)


def state_of(commit: Commit | None) -> State | None:
    """The state a publication carries; None where the newest change is not ours (RESTORE, manual work)."""
    if commit is None:
        return None
    written = commit.metadata
    if written is None or "code" not in written or commit.info.get("operation") == "RESTORE":
        return None
    return _read(written)


def _read(written: dict[str, Any]) -> State:
    inputs = {name: Version(**v) for name, v in written.get("inputs", {}).items()}
    known = {k: v for k, v in written.items() if k in State.__dataclass_fields__ and k != "inputs"}
    return State(inputs=inputs, **known)


def newest_state(log: DeltaLog, start: int | None = None) -> State | None:
    """The state in force at a version."""
    return state_of(log.newest_that_counts(start))
