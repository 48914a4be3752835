"""Delimited text (RFC 4180) read strictly: every field in its place, every quote closed, nothing guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from lakehouse.declare.sources import Csv
from lakehouse.sources.objects import LINE_LIMIT, Meter, Text, text_of
from lakehouse.sources.objects import Open as OpenStream
from lakehouse.sources.received import LACKS, Items, Names, ObjectRefused, Unreadable

RECORD_LIMIT = 1 << 20
DETECT = "detect"
DELIMITERS = (",", ";", "\t", "|")
Texts = Iterator[tuple[int, str] | Unreadable]

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
        return self._simple(text) or self.resume([], text)

    def _simple(self, text: str) -> list[str | None]:
        """The fields where each quote opens or closes a field and none is doubled; nothing where it is not so simple."""
        delimiter, parts = self.delimiter, text.split('"')
        if len(parts) % 2 == 0 or len(delimiter) != 1:
            return []
        found: list[str | None] = []
        last = len(parts) - 1
        for place, part in enumerate(parts):
            if place % 2:
                found.append(part)
                continue
            begin, end = 1 if place else 0, len(part) - 1 if place < last else len(part)
            if (place and part and part[0] != delimiter) or (place < last and part and part[-1] != delimiter):
                return []
            if not part:
                if 0 < place < last:
                    return []
            elif begin <= end:
                found += [field or None for field in part[begin:end].split(delimiter)]
        return found

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


def rows(text: Text, names: Names, delimiter: str = ",", header: bool = True) -> Items:
    """The declared columns of each record, found by the header's names, or by their order where there is no header."""
    texts = _texts(text)
    if delimiter == DETECT:
        delimiter, texts = _delimiter(texts, names)
    fields = Fields(delimiter)
    records = _records(texts, fields)
    if header:
        width, places = _header(next(records, None), names)
    else:
        width, places = len(names.declared), [*range(len(names.declared))]
        names.refusal(names.declared)
    in_order = places == [*range(width)]
    for record in records:
        if isinstance(record, Unreadable):
            yield record
        elif len(record[1]) != width:
            number, found, raw = record
            how = "many" if len(found) > width else "few"
            yield Unreadable(number, raw, f"too {how} fields: {len(found)}, {'the header has' if header else 'declared are'} {width}")
        else:
            values = record[1]
            yield record[0], values if in_order else [None if place is None else values[place] for place in places]


def first_record(text: Text, delimiter: str, names: Sequence[str] = ()) -> tuple[str, list[str]]:
    """The delimiter (detected where that is asked) and the fields of the first record. Raises ObjectRefused."""
    texts = _texts(text)
    if delimiter == DETECT:
        delimiter, texts = _delimiter(texts, Names(tuple(names)))
    first = next(_records(texts, Fields(delimiter)), None)
    if first is None or isinstance(first, Unreadable):
        raise ObjectRefused("the object is empty" if first is None else f"the first line cannot be read: {first.reason}")
    return delimiter, [field or "" for field in first[1]]


def one_record(source: Csv, open_stream: OpenStream, name: str, declared: Sequence[str], text: str) -> dict[str, str | None]:
    """A record given by hand, by the header of the object it belongs to. Raises ValueError where it does not fit."""
    names, delimiter = tuple(declared), source.delimiter
    if source.header or delimiter == DETECT:
        try:
            delimiter, first = first_record(text_of(open_stream, name, Meter(), source.encoding), delimiter, names)
        except ObjectRefused as refused:
            raise Refused(f"{refused}; write the row as JSON in the names of the source") from None
        names = tuple(first) if source.header else names
    try:
        found = Fields(delimiter).split(text)
    except Open:
        raise Refused("a quote is never closed") from None
    if len(found) != len(names):
        how = "many" if len(found) > len(names) else "few"
        raise Refused(f"too {how} fields: {len(found)}, the header has {len(names)}: {', '.join(names)}")
    return dict(zip(names, found, strict=True))


def _header(record: tuple[int, list[str | None], str] | Unreadable | None, names: Names) -> tuple[int, list[int | None]]:
    if record is None:
        raise ObjectRefused("the object is empty: a header is expected, even where no row follows.")
    if isinstance(record, Unreadable):
        raise ObjectRefused(f"the header cannot be read: {record.reason}.")
    received = tuple(name or "" for name in record[1])
    return len(received), places(received, names)


def places(received: tuple[str, ...], names: Names) -> list[int | None]:
    """Where each declared column stands in a header; None for one that may be missing. Raises ObjectRefused."""
    shown = f"Received: {', '.join(received)}. Valid: {', '.join(names.declared)}."
    twice = sorted({name for name in received if received.count(name) > 1})
    if twice:
        raise ObjectRefused(f"the header names {', '.join(map(repr, twice))} more than once. {shown}")
    refusal = names.refusal(received)
    if refusal:
        raise ObjectRefused(f"in the header {refusal}. {shown}")
    spelled = [name if name in received else names.respelled.get(name, name) for name in names.declared]
    missing = [name for name, met in zip(names.declared, spelled, strict=True) if met not in received]
    if missing and (names.drift.missing != "accept" or len(missing) == len(names.declared)):
        raise ObjectRefused(f"{LACKS}{', '.join(missing)}. {shown}")
    return [received.index(name) if name in received else None for name in spelled]


def _delimiter(texts: Texts, names: Names) -> tuple[str, Texts]:
    """The delimiter that finds most declared names in the first line, or most fields where none is found."""
    first = next(texts, None)
    if first is None or isinstance(first, Unreadable):
        return ",", texts if first is None else chain([first], texts)

    def found(delimiter: str) -> tuple[int, int]:
        try:
            fields = Fields(delimiter).split(first[1].removesuffix("\r"))
        except (Refused, Open):
            return 0, 0
        return len({*fields} & {*names.declared}), len(fields)

    return max(DELIMITERS, key=found), chain([first], texts)


def _texts(text: Text) -> Texts:
    codec = text.codec
    for number, line in enumerate(text.lines, 1):
        if line is None:
            yield Unreadable(number, "", f"the line is longer than {LINE_LIMIT >> 20} MB")
            continue
        try:
            decoded = line.decode(codec)
        except UnicodeDecodeError as wrong:
            raw = line.decode(codec, errors="replace")
            yield Unreadable(number, raw, f"no {text.encoding.upper()} at byte {wrong.start + 1} of the line")
            continue
        if "\0" in decoded:
            yield Unreadable(number, decoded.replace("\0", "␀"), "a NUL character in the line")
        else:
            yield number, decoded


def _records(texts: Texts, fields: Fields) -> Iterator[tuple[int, list[str | None], str] | Unreadable]:
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
    first: tuple[int, str], texts: Texts, fields: Fields, opened: Open
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
