"""One JSON document an object, read record by record: the list in it is never in memory as a whole.

The document is walked by its structure alone (brackets and strings); each record's text is then read as strictly as a line of JSON is.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Any

from lakehouse.sources import json_lines
from lakehouse.sources.objects import LINE_LIMIT
from lakehouse.sources.received import Items, Names, ObjectRefused

SIGNS = re.compile(r'["{}\[\],:]')
IN_STRING = re.compile(r'["\\]')
CLOSES = {"}": "{", "]": "["}
BLANK = " \t\r\n"
DEPTH_LIMIT = 500
UNDECODED = "\udcff"


def rows(opened: Callable[[], Iterator[bytes]], names: Names, records: str) -> Items:
    """The declared columns of each record; `_line` is the record's place in the list, from 1.

    The document is walked twice, so that one which was cut off gives no row. Raises ObjectRefused before the first.
    """
    path = tuple(records.split(".")) if records else ()
    for _ in _records(_decoded(opened()), path):
        pass
    yield from json_lines.of_declared(_objects(opened(), path), names)


def _objects(pieces: Iterator[bytes], path: tuple[str, ...]) -> Iterator[tuple[int, str, dict[str, Any] | str]]:
    number = 0
    for number, text in enumerate(_records(_decoded(pieces), path), 1):
        if text is None:
            yield number, "", f"the record is longer than {LINE_LIMIT >> 20} MB"
            continue
        try:
            if UNDECODED in text:
                raise json_lines.Refused("no UTF-8 in the record")
            yield number, text, json_lines.read(text)
        except json_lines.Refused as refused:
            yield number, text, str(refused)


def _decoded(pieces: Iterator[bytes]) -> Iterator[str]:
    """Text; bytes that are no UTF-8 spoil the record they stand in, not the document."""
    decoder = codecs.getincrementaldecoder("utf-8")("lakehouse.mark")
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", True)


def _records(texts: Iterator[str], path: tuple[str, ...]) -> Iterator[str | None]:
    """The text of each element of the list at `path`. Raises ObjectRefused where the document does not hold together."""
    walk = _Walk(path)
    for text in texts:
        yield from walk.feed(text)
    walk.end()


class _Walk:
    """Where a reader stands in a document: open brackets, the key before each, and the text of the record it is in."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path
        self.open: list[str] = []
        self.keys: list[str] = []
        self.key = ""
        self.string: list[str] | None = None
        self.last_string = ""
        self.escaped = False
        self.record: list[str] | None = None
        self.size = 0
        self.found = self.done = self.ended = False
        self.expects = False
        self.count = 0

    def feed(self, text: str) -> Iterator[str | None]:
        """The records that end in a piece of text."""
        at = 0
        while at < len(text):
            if self.string is not None:
                at = self._in_string(text, at)
                continue
            sign = SIGNS.search(text, at)
            end = sign.start() if sign else len(text)
            self._between(text[at:end])
            if sign is None:
                return
            at = end + 1
            yield from self._sign(sign[0])

    def _in_string(self, text: str, at: int) -> int:
        assert self.string is not None
        start = at
        if self.escaped:
            self.escaped = False
            at += 1
        while True:
            sign = IN_STRING.search(text, at)
            if sign is None:
                self._keep(text[start:])
                return len(text)
            if sign[0] == "\\":
                if sign.end() == len(text):
                    self.escaped = True
                    self._keep(text[start:])
                    return len(text)
                at = sign.end() + 1
                continue
            self._keep(text[start : sign.end()])
            self.last_string = "".join(self.string)[:-1]
            self.string = None
            return sign.end()

    def _keep(self, text: str) -> None:
        if self.string is not None and sum(map(len, self.string[-2:])) < 1_000:
            self.string.append(text)
        self._record(text)

    def _record(self, text: str) -> None:
        if self.record is not None:
            self.size += len(text)
            if self.size <= LINE_LIMIT:
                self.record.append(text)

    def _between(self, text: str) -> None:
        self._record(text)
        if text.strip(BLANK) and self.record is None:
            if self.ended or not self.open:
                self._refuse(f"text outside the document: {text.strip(BLANK)[:40]!r}")
            if self._in_list():
                self.record, self.size = [text], len(text)

    def _sign(self, sign: str) -> Iterator[str | None]:
        if self.ended:
            self._refuse(f"text after the document: {sign!r}")
        if sign == '"':
            self._begin_record()
            self._record(sign)
            self.string = []
        elif sign in "{[":
            self._opened(sign)
        elif sign in "}]":
            yield from self._closed(sign)
        elif sign == "," and self._in_list():
            if self.record is None:
                self._refuse(f"an element is missing after element {self.count} of the list")
            yield self._finish()
            self.expects = True
        elif sign == ":" and self.record is None:
            self.key = self.last_string
        else:
            self._record(sign)

    def _in_list(self) -> bool:
        return self.found and not self.done and len(self.open) == len(self.path) + 1

    def _begin_record(self) -> None:
        if self._in_list() and self.record is None:
            self.record, self.size = [], 0

    def _opened(self, sign: str) -> None:
        self._begin_record()
        self._record(sign)
        if len(self.open) >= DEPTH_LIMIT:
            self._refuse("it is nested too deeply")
        self.open.append(sign)
        self.keys.append(self.key)
        self.key = ""
        if self.record is None and sign == "[" and tuple(self.keys[1:]) == self.path:
            if self.found:
                self._refuse(f"the list '{'.'.join(self.path)}' comes twice")
            self.found = True

    def _closed(self, sign: str) -> Iterator[str | None]:
        if not self.open or self.open[-1] != CLOSES[sign]:
            self._refuse(f"{sign!r} closes nothing, after element {self.count}")
        if self._in_list():
            if self.record is not None:
                yield self._finish()
            elif self.expects:
                self._refuse(f"an element is missing after element {self.count} of the list")
            self.done = True
        else:
            self._record(sign)
        self.open.pop()
        self.keys.pop()
        self.ended = not self.open

    def _finish(self) -> str | None:
        assert self.record is not None
        text = "".join(self.record).strip(BLANK) if self.size <= LINE_LIMIT else None
        self.record, self.expects = None, False
        self.count += 1
        return text

    def end(self) -> None:
        """Raises ObjectRefused where the document is cut, or holds no such list."""
        if not self.ended:
            what = "is empty" if not self.open and self.string is None else f"ends too early, after element {self.count}"
            self._refuse(f"the document {what}")
        if not self.found:
            where = f"at '{'.'.join(self.path)}'" if self.path else 'at its top; name the key that holds it: records="data"'
            self._refuse(f"there is no list {where}")

    def _refuse(self, why: str) -> None:
        raise ObjectRefused(f"the JSON document cannot be read: {why}.")
