"""Delimited text (RFC 4180) read strictly: every field in its place, every quote closed, nothing guessed."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from lakehouse.sources.objects import LINE_LIMIT
from lakehouse.sources.received import Items, Names, ObjectRefused, Unreadable

RECORD_LIMIT = 1 << 20


CLOSING = re.compile(r'[^"]*(?:""[^"]*)*"(?!")')


class Open(Exception):
    """A quote is open at the end of the text: the record goes on in the next line."""

    def __init__(self, found: list[str | None], rest: str) -> None:
        super().__init__(rest)
        self.found, self.rest = found, rest


class Refused(ValueError):
    """Why a record is none."""


class Fields:
    """Splits a record's text at the delimiter; an empty field is None, a quoted empty one is ''."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter
        inside = re.escape(delimiter)
        self._quoted = re.compile(r'"([^"]*(?:""[^"]*)*)"(?!")')
        self._plain = re.compile(rf'[^"{inside}]*')

    def split(self, text: str) -> list[str | None]:
        """The fields of one record."""
        if '"' not in text:
            return [field or None for field in text.split(self.delimiter)]
        return self.resume([], text)

    def resume(self, found: list[str | None], text: str) -> list[str | None]:
        """The fields found before, and those of the text after them."""
        at = 0
        while True:
            quoted = self._quoted.match(text, at)
            if quoted:
                found.append(quoted[1].replace('""', '"'))
                at = quoted.end()
            elif text.startswith('"', at):
                raise Open(found, text[at:])
            else:
                plain = self._plain.match(text, at)
                found.append(plain[0] or None if plain else None)
                at = plain.end() if plain else at
            if at == len(text):
                return found
            if not text.startswith(self.delimiter, at):
                place = f"field {len(found)}"
                if quoted:
                    raise Refused(f"text after the closing quote of {place}")
                raise Refused(f"a quote inside {place}, which does not begin with one")
            at += len(self.delimiter)


def rows(lines: Iterator[bytes | None], names: Names, delimiter: str, encoding: str) -> Items:
    """The declared columns of each record, found by the header's names."""
    fields = Fields(delimiter)
    records = _records(_texts(lines, encoding), fields)
    header = next(records, None)
    if header is None:
        raise ObjectRefused("the object is empty: a header is expected, even where no row follows.")
    if isinstance(header, Unreadable):
        raise ObjectRefused(f"the header cannot be read: {header.reason}.")
    received = tuple(name or "" for name in header[1])
    places = _places(received, names)
    width = len(received)
    for record in records:
        if isinstance(record, Unreadable):
            yield record
        elif len(record[1]) != width:
            number, found, text = record
            how = "many" if len(found) > width else "few"
            yield Unreadable(number, text, f"too {how} fields: {len(found)}, the header has {width}")
        else:
            values = record[1]
            yield record[0], [values[place] for place in places]


def _places(received: tuple[str, ...], names: Names) -> list[int]:
    shown = f"Received: {', '.join(received)}. Valid: {', '.join(names.declared)}."
    twice = sorted({name for name in received if received.count(name) > 1})
    if twice:
        raise ObjectRefused(f"the header names {', '.join(map(repr, twice))} more than once. {shown}")
    refusal = names.refusal(received)
    if refusal:
        raise ObjectRefused(f"in the header {refusal}. {shown}")
    missing = [name for name in names.declared if name not in received]
    if missing:
        raise ObjectRefused(f"the header lacks {', '.join(missing)}. {shown}")
    return [received.index(name) for name in names.declared]


def _texts(lines: Iterator[bytes | None], encoding: str) -> Iterator[tuple[int, str] | Unreadable]:
    try:
        codec = codecs.lookup(encoding).name
    except LookupError:
        codec = ""
    if not codec or codec.startswith(("utf-16", "utf-32", "utf-7")):
        raise ObjectRefused(f"encoding='{encoding}' cannot be read line by line. Valid: utf-8, cp1252, latin-1…")
    for number, line in enumerate(lines, 1):
        if line is None:
            yield Unreadable(number, "", f"the line is longer than {LINE_LIMIT >> 20} MB")
            continue
        try:
            text = line.decode(codec)
        except UnicodeDecodeError as wrong:
            raw = line.decode(codec, errors="replace")
            yield Unreadable(number, raw, f"no {encoding.upper()} at byte {wrong.start + 1} of the line")
            continue
        if "\0" in text:
            yield Unreadable(number, text.replace("\0", "␀"), "a NUL character in the line")
        else:
            yield number, text


def _records(texts: Iterator[tuple[int, str] | Unreadable], fields: Fields) -> Iterator[tuple[int, list[str | None], str] | Unreadable]:
    """Lines joined where a quote spans them; of a broken record every line is reported."""
    for first in texts:
        if isinstance(first, Unreadable):
            yield first
            continue
        number, text = first[0], first[1].removesuffix("\r")
        if not text:
            continue
        try:
            yield number, fields.split(text), text
        except Refused as refused:
            yield Unreadable(number, text, str(refused))
        except Open as opened:
            yield from _spanning(first, texts, fields, opened)


def _spanning(
    first: tuple[int, str], texts: Iterator[tuple[int, str] | Unreadable], fields: Fields, opened: Open
) -> Iterator[tuple[int, list[str | None], str] | Unreadable]:
    held, size = [first], len(first[1])
    found, pending = opened.found, [opened.rest + ("\r" if first[1].endswith("\r") else "")]
    reason = f"a quote opened in line {first[0]} is never closed"
    spoiled = ""
    for received in texts:
        if isinstance(received, Unreadable):  # followed all the same, so that its rest is not taken for rows
            spoiled = spoiled or f"{received.reason}, in line {received.line}"
            following = (received.line, received.raw)
        else:
            following = received
        held.append(following)
        pending.append(following[1])
        size += len(following[1])
        if CLOSING.match(following[1]):
            try:
                record = fields.resume(found, "\n".join(pending).removesuffix("\r"))
                if spoiled:
                    raise Refused(spoiled)
                yield first[0], record, "\n".join(text for _, text in held)
                return
            except Refused as refused:
                yield from _all_broken(held, f"{refused}, in the record of lines {first[0]}–{following[0]}")
                return
            except Open as again:
                end = "\r" if following[1].endswith("\r") else ""
                found, pending = again.found, [again.rest + end]
        if size > RECORD_LIMIT:
            reason = f"a quote opened in line {first[0]} is not closed within {RECORD_LIMIT >> 20} MB"
            break
    yield from _all_broken(held, reason)
    for rest in texts:
        yield rest if isinstance(rest, Unreadable) else Unreadable(*rest, reason)


def _all_broken(held: list[tuple[int, str]], reason: str) -> Iterator[Unreadable]:
    for number, text in held:
        yield Unreadable(number, text, reason)
