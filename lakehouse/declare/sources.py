"""Where a bronze table's rows come from: objects in landing, their format, and who lands them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Period = Literal["hour", "day", ""]


@dataclass(frozen=True)
class Outbox:
    """A Postgres source that writes each change to its `outbox` table; `name` is the source's, its address `<name>_url` in settings."""

    name: str


@dataclass(frozen=True)
class Source:
    """Objects under `prefix` in landing, in one format.

    `period` says that objects are named by the hour or day they cover, which makes the watermark;
    `lands` names the connector that fetches them (none: somebody else drops them).
    """

    prefix: str
    period: Period = ""
    lands: Outbox | None = None

    @property
    def name(self) -> str:
        """The source's name: the first part of its prefix."""
        return self.prefix.split("/")[0]


@dataclass(frozen=True)
class JsonLines(Source):
    """One JSON object a line; `.gz` objects are decompressed."""


@dataclass(frozen=True)
class ChangeRows(Source):
    """JSON lines {"sequence", "operation", "at", "row"}: gives `_op`, `_sequence`, `_event_at` beside the row's columns."""


@dataclass(frozen=True)
class Csv(Source):
    """Comma-separated values with a header; `delimiter` and `encoding` where they differ."""

    delimiter: str = ","
    encoding: str = "utf-8"
