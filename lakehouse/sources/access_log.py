"""Web servers' logs in the combined format (Apache's and nginx'), line by line; a line that is none is told where it stops being one."""

from __future__ import annotations

import re
from datetime import datetime

from lakehouse.declare.sources import AccessLog
from lakehouse.sources.objects import LINE_LIMIT, Text
from lakehouse.sources.received import Items, Names, Unreadable

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
QUOTED = r'"((?:[^"\\]|\\.)*)"'
PARTS = (
    ("a host", r"(\S+) "),
    ("an identity", r"(\S+) "),
    ("a user", r"([^\"\[]+?) (?=\[)"),
    ("a time such as [10/Oct/2000:13:55:36 -0700]", r"\[(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)\] "),
    ("a request in quotes", QUOTED + " "),
    ("a status of three digits", r"([1-5]\d\d) "),
    ("a number of bytes or -", r"(\d+|-)(?: |$)"),
    ("a referrer in quotes", QUOTED + "(?: |$)"),
    ("a user agent in quotes", QUOTED),
    ("the end of the line", r"\s*$"),
)
LINE = re.compile("".join(pattern for _, pattern in PARTS))
REQUEST = re.compile(r"([A-Z][A-Z_-]*) ([^ ?]+)(?:\?(\S*))? (HTTP/\d(?:\.\d)?)")
ESCAPED = re.compile(r'\\(?:x([0-9A-Fa-f]{2})|(["\\])|([tnrbv]))')
CONTROL = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "v": "\v"}


def rows(text: Text, names: Names) -> Items:
    """The declared columns of each line. Blank lines are passed over."""
    places = [AccessLog.fields.index(name) for name in names.declared]
    for number, line in enumerate(text.lines, 1):
        if line is None:
            yield Unreadable(number, "", f"the line is longer than {LINE_LIMIT >> 20} MB")
            continue
        try:
            written = line.decode(text.codec).strip("\r\n ")
        except UnicodeDecodeError as wrong:
            shown = line.decode(text.codec, errors="replace")
            yield Unreadable(number, shown, f"no {text.encoding.upper()} at byte {wrong.start + 1} of the line")
            continue
        if not written:
            continue
        found = read(written)
        yield Unreadable(number, written, found) if isinstance(found, str) else (number, [found[p] for p in places])


def read(line: str) -> tuple[str | None, ...] | str:
    """The fields of one line, or why it is none."""
    if "\0" in line:
        return "a NUL character in the line"
    found = LINE.match(line)
    if found is None:
        return _where_it_ends(line)
    host, identity, user, day, month, year, clock, hours, minutes, request, status, size, referrer, agent = found.groups()
    at = f"{year}-{MONTHS.index(month) + 1:02d}-{day}T{clock}{hours}:{minutes}" if month in MONTHS else ""
    try:
        datetime.fromisoformat(at)
    except ValueError:
        return f"the time [{day}/{month}/{year}:{clock} {hours}{minutes}] is none"
    asked = REQUEST.fullmatch(request)
    method, path, query, protocol = asked.groups() if asked else (None, None, None, None)
    values = (host, identity, user, at, request, method, path, query, protocol, status, size, referrer, agent)
    return tuple(None if v in (None, "-", "") else ESCAPED.sub(_unescaped, v) if "\\" in v else v for v in values)


def _unescaped(found: re.Match[str]) -> str:
    """Signs as they were sent, where a text can hold them; other bytes stay as the server wrote them."""
    code, sign, control = found.groups()
    if code:
        character = chr(int(code, 16))
        return character if character.isascii() and character.isprintable() else found.group()
    return sign or CONTROL[control]


def _where_it_ends(line: str) -> str:
    """The first part of the format that the line does not go on with."""
    place = 0
    for what, pattern in PARTS:
        part = re.compile(pattern).match(line, place)
        if part is None:
            return f"{what} is expected at character {place + 1}; a line of the combined format is {' '.join(SHAPE)}"
        place = part.end()
    return f"the line does not fit the combined format {' '.join(SHAPE)}"


SHAPE = ("host", "identity", "user", "[time]", '"request"', "status", "bytes", '"referrer"', '"user agent"')
