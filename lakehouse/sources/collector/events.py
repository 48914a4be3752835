"""A batch of events as it is sent, and what is wrong with each: the table it is for says which fields there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lakehouse.declare.tables import Table
from lakehouse.errors import LakehouseError
from lakehouse.sources.json_lines import Literal, Refused, read, text_of
from lakehouse.sources.received import Names

MOST_EVENTS = 1_000
LONGEST_EVENT = 64 << 10
LATEST = timedelta(days=90)
"""An event may come so long after it happened: phones are offline, servers catch up."""
AHEAD = timedelta(minutes=5)
SKEW = timedelta(seconds=10)
"""A sender's clock that is off by more than this is corrected; less is the way here."""
WHOLE = re.compile(r"-?\d+")


class BatchRefused(LakehouseError):
    """A request that is no batch of events; nothing of it is taken."""


@dataclass(frozen=True)
class Checked:
    """The lines to keep, and why others were refused, by their place in the batch."""

    lines: list[bytes]
    refused: list[dict[str, Any]] = field(default_factory=list)


class Events:
    """What an event of one table must look like: its declared columns, a required identity, a moment with time zone."""

    def __init__(self, table: Table, *, identity: str = "event_id", moment: str = "event_at", received: str = "received_at") -> None:
        self.kinds = {column.received_as: column.type for column in table.columns}
        missing = [name for name in (identity, moment, received) if name not in self.kinds]
        if missing:
            raise LakehouseError(f"{table.name} has no column {', '.join(missing)}. Valid: {', '.join(self.kinds)}. Name the ones meant")
        self.identity, self.moment, self.received = identity, moment, received
        self.names = Names(tuple(self.kinds))

    def batch(self, body: bytes, now: datetime) -> Checked:
        """Read `{"sent_at": …, "events": [{…}, …]}`; `sent_at`, the sender's clock, corrects moments where it is off."""
        try:
            found = read(body.decode())
        except (Refused, UnicodeDecodeError) as wrong:
            raise BatchRefused(f"the body is no batch: {wrong}") from None
        if set(found) - {"events", "sent_at"} or type(found.get("events")) is not list:
            raise BatchRefused(f'the body has {", ".join(sorted(found)) or "nothing"}; it looks like {{"sent_at": "…", "events": [{{…}}]}}')
        if len(found["events"]) > MOST_EVENTS:
            raise BatchRefused(f"{len(found['events'])} events in one batch; at most {MOST_EVENTS}: send several")
        skew = self._skew(found.get("sent_at"), now)
        checked = Checked([])
        for place, event in enumerate(found["events"]):
            reason = self._refusal(event) or self._timed(event, skew, now)
            line = b"" if reason else text_of(event).encode()
            if len(line) > LONGEST_EVENT:
                reason = f"the event is longer than {LONGEST_EVENT >> 10} KB"
            if reason:
                checked.refused.append({"event": place, "reason": reason})
            else:
                checked.lines.append(line)
        return checked

    def _skew(self, sent: object, now: datetime) -> timedelta:
        if sent is None:
            return timedelta()
        at = _moment(sent)
        if at is None:
            raise BatchRefused(f"sent_at {text_of(sent)[:40]} is no time with zone, such as 2026-11-21T13:00:00Z")
        return now - at if abs(now - at) > SKEW else timedelta()

    def _refusal(self, event: Any) -> str:
        if type(event) is not dict:
            return "it is no object"
        wrong = self.names.refusal(tuple(event))
        if wrong:
            return wrong
        if not event.get(self.identity):
            return f"it has no {self.identity}"
        for name, value in event.items():
            kind = self.kinds.get(name)
            if value is not None and kind is not None and not _fits(kind, value):
                return f"{name}: {text_of(value)[:80]} is no {kind}"
        return ""

    def _timed(self, event: dict[str, Any], skew: timedelta, now: datetime) -> str:
        """Correct the moment, note the reception; a moment that cannot be is a reason to refuse."""
        at = _moment(event.get(self.moment))
        if at is None:
            return f"it has no {self.moment} with time zone, such as 2026-11-21T13:00:00Z"
        at += skew
        if at > now + AHEAD:
            return f"{self.moment} is {at - now} ahead of the collector's clock; send sent_at beside the events to have it corrected"
        if now - at > LATEST:
            return f"{self.moment} is {(now - at).days} days ago; at most {LATEST.days}"
        event[self.moment], event[self.received] = _text(min(at, now)), _text(now)
        return ""


def _moment(value: object) -> datetime | None:
    if type(value) is not str:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


FITS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: type(value) is str,
    "boolean": lambda value: type(value) is bool,
    "timestamp": lambda value: _moment(value) is not None,
    "date": lambda value: type(value) is str,
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), lambda value: isinstance(value, Literal) and bool(WHOLE.fullmatch(value))),
    **dict.fromkeys(("float", "double", "decimal"), lambda value: isinstance(value, Literal)),
    "array": lambda value: type(value) is list,
    **dict.fromkeys(("struct", "map"), lambda value: type(value) is dict),
}


def _fits(kind: str, value: object) -> bool:
    return FITS[re.split(r"[(<]", kind)[0]](value)
