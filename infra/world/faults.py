"""Faults, switched on by name: what goes wrong on the way from a source into landing, and what the lakehouse does about it.

A fault spoils objects that land while it is on; those that have landed stay as they are. `api_…` faults are met by whoever asks
the ad platforms' API (`python -m infra.world.ad_api --switches`).
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson

Spoil = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Fault:
    """A fault: which objects it meets (by prefix), what it does to their (unpacked) content, what the lakehouse does about it."""

    prefix: str
    does: str
    met_by: str
    spoil: Spoil | None = None
    packed: Spoil | None = None


def _each(body: bytes, every: int, change: Callable[[dict[str, object]], dict[str, object]]) -> bytes:
    lines = [orjson.loads(line) for line in body.splitlines()]
    return b"".join(orjson.dumps(change(line) if n % every == 0 else line) + b"\n" for n, line in enumerate(lines))


def _moved(name: str, onto: str, by: timedelta) -> Callable[[dict[str, object]], dict[str, object]]:
    def change(event: dict[str, object]) -> dict[str, object]:
        moment = datetime.fromisoformat(str(event[onto])) + by
        return event | {name: moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"}

    return change


def _first_line(change: Callable[[bytes], bytes]) -> Spoil:
    def spoil(body: bytes) -> bytes:
        head, _, rest = body.partition(b"\n")
        return change(head) + b"\n" + rest

    return spoil


def _garbled(event: dict[str, object]) -> dict[str, object]:
    return event | {"text": str(event["text"]).encode().decode("cp1252", "ignore")}


def _more_column(body: bytes) -> bytes:
    head, *lines = body.split(b"\r\n")
    return b"\r\n".join([head + b";Bonuspunkte", *(line + b";3" for line in lines if line), b""])


def _retyped(body: bytes) -> bytes:
    head, *lines = body.split(b"\r\n")
    place = head.split(b",").index(b"value")
    rows = [line.split(b",") for line in lines if line]
    return b"\r\n".join([head, *(b",".join([*r[:place], r[place] + b" EUR", *r[place + 1 :]]) for r in rows), b""])


def _unclosed(body: bytes) -> bytes:
    lines = body.split(b"\r\n")
    return b"\r\n".join([*lines[:3], b'"' + lines[3], *lines[4:]])


def _crawled(body: bytes) -> bytes:
    lines = body.splitlines()
    robot = {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "customer_id": None}
    seen = [line for line in map(orjson.loads, lines) if line["event_type"] == "page_view"][:50]
    robot |= {"visitor_id": "b0b0b0b0b0b0b0b0", "session_id": "b0b0b0b0b0b0b0b0"}
    made = [e | robot | {"event_id": f"b{e['event_id'][1:]}"} for e in seen]
    return b"\n".join([*lines, *map(orjson.dumps, made), b""])


FAULTS = {
    "duplicate_key": Fault(
        "email/events", "the first line names its key `event` twice", "the line is quarantined, the others go on",
        _first_line(lambda line: b'{"event":"sent",' + line[1:]),
    ),
    "invalid_utf8": Fault(
        "email/events", "the first line holds a byte that is no UTF-8", "the line is quarantined, the others go on",
        _first_line(lambda line: line.replace(b"mailbox", b"mail\xffbox", 1)),
    ),
    "text_after": Fault(
        "service/messages", "a second object stands on the first line", "the line is quarantined, the others go on",
        _first_line(lambda line: line + b' {"conversation_id":"T0"}'),
    ),
    "truncated_gzip": Fault(
        "service/messages", "the archive ends in its middle", "the object gives no row, only the reason",
        packed=lambda body: body[: len(body) // 2],
    ),
    "empty_gzip": Fault("social/mentions", "the archive has no byte", "the object gives no row, only the reason", packed=lambda _: b""),
    "broken_encoding": Fault(
        "social/mentions", "texts were read as cp1252 on their way (mojibake)", "`brand_mentions` repairs them and marks the rows",
        lambda body: _each(body, 1, _garbled),
    ),
    "new_column": Fault(
        "stores/sales", "a further column", "the run reports it; it stays in landing until the contract names it", _more_column
    ),
    "renamed_column": Fault(
        "sensors/footfall", "the column `entries` is called `count`", "the object gives no row, only the reason",
        lambda body: body.replace(b"entries", b"count", 1),
    ),
    "unclosed_quote": Fault(
        "sensors/footfall", "a quote is opened and never closed", "lines from there on are quarantined, those before go on", _unclosed
    ),
    "retyped_column": Fault(
        "conversions/sent", "amounts carry their currency: `12.90 EUR`", "the lines are quarantined and the run reports the type", _retyped
    ),
    "repeated_object": Fault("crm/contacts", "the export comes again under another name", "it is a duplicate: its rows count once"),
    "missing_day": Fault("ads/google", "the day's report does not come", "the night waits and its log names the source"),
    "late_events": Fault(
        "web/events", "every fifth event happened three days before it is sent", "`web_events` counts it on its day and marks it late",
        lambda body: _each(body, 5, _moved("event_at", "received_at", timedelta(days=-3))),
    ),
    "clock_skew": Fault(
        "web/events", "every seventh event comes from a clock two hours ahead", "the rule `received_after_it_happened` marks the row",
        lambda body: _each(body, 7, _moved("event_at", "received_at", timedelta(hours=2))),
    ),
    "bots": Fault(
        "web/events", "a crawler reads up to 50 pages an hour", "`web_events` flags it by its name, visits leave it out", _crawled
    ),
    "api_limited": Fault("", "the API answers 429 with Retry-After", "the connector waits as told and asks again"),
    "api_broken": Fault("", "the API answers 503", "the connector asks again, ever later"),
    "api_cut": Fault("", "the API's answers end too early", "nothing of such an answer is taken; it is asked again"),
    "api_partial": Fault("", "the API answers with some rows and an error beside them", "nothing of it is taken; it is asked again"),
    "api_expired": Fault("", "the API takes its tokens back", "the connector signs in again"),
    "api_repeated": Fault("", "a row of the page before comes again", "rows are counted against the total; the page is asked again"),
}  # fmt: skip
API_SHARE = 0.2
"""Share of requests that a switched-on `api_…` fault meets."""


SWITCHES = "faults.json"


def _switches(folder: Path) -> Path:
    return folder / SWITCHES


def active(folder: Path) -> frozenset[str]:
    """Give the names of the faults that are on; `folder` is that of the truth."""
    file = _switches(folder)
    return frozenset(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else frozenset()


def switch(folder: Path, name: str, *, on: bool) -> frozenset[str]:
    """Switch a fault, and give the names of those that are on."""
    now = active(folder) | {name} if on else active(folder) - {name}
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = _switches(folder).with_suffix(".part")
    unfinished.write_text(json.dumps(sorted(now)), encoding="utf-8")
    os.replace(unfinished, _switches(folder))
    return now


def spoiled(names: Collection[str], key: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    """Give what lands instead of an object while these faults are on: the object, another content of it, twice, or nothing."""
    meeting = [(name, fault) for name, fault in FAULTS.items() if name in names and fault.prefix and key.startswith(f"{fault.prefix}/")]
    if any(name == "missing_day" for name, _ in meeting):
        return
    for _, fault in meeting:
        if fault.spoil and body:
            zipped = key.endswith(".gz")
            plain = gzip.decompress(body) if zipped else body
            changed = fault.spoil(plain) if plain else plain
            body = gzip.compress(changed, 6, mtime=0) if zipped else changed
    for _, fault in meeting:
        body = fault.packed(body) if fault.packed else body
    yield key, body
    if any(name == "repeated_object" for name, _ in meeting):
        stem, _, ending = key.rpartition(".")
        yield f"{stem}.again.{ending}", body
