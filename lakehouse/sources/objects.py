"""Bytes of an object as lines, in bounded memory; a damaged archive gives none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from lakehouse.sources import charsets
from lakehouse.sources.packed import LONGEST_MAGIC, SUFFIXES, content, kind_by_content, pieces_of, unpacked
from lakehouse.sources.received import ObjectRefused

LINE_LIMIT = 16 << 20

Open = Callable[[], BinaryIO]


@dataclass
class Meter:
    """How many bytes were unpacked so far."""

    passed: int = 0

    def counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces, counted as they pass."""
        for piece in pieces:
            self.passed += len(piece)
            yield piece


@dataclass(frozen=True)
class Text:
    """An object's text: its lines as bytes in `codec`, None for one past the limit."""

    codec: str
    encoding: str
    """What it was encoded in before, for messages."""
    lines: Iterator[bytes | None]


def text_of(open_stream: Open, name: str, meter: Meter, encoding: str = "utf-8") -> Text:
    """The object's lines without their line ends, in an encoding that lines can be cut in.

    A byte-order mark wins over what is declared, where that allows it. Raises ObjectRefused, before the first line or at once.
    """
    codec = "utf-8"
    if encoding == charsets.DETECT:
        codec = charsets.detected(content(open_stream, name))
    elif encoding != "utf-8":
        codec = charsets.codec_of(encoding)
        if codec != "utf-8":
            codec = charsets.marked(_first(content(open_stream, name))) or codec
        if codec in ("utf-16", "utf-32"):
            raise ObjectRefused(f'the content has no byte-order mark. Declare encoding="{codec}-le" or "{codec}-be".')
    pieces = _whole(meter.counted(content(open_stream, name)), codec)
    if charsets.is_wide(codec):
        return Text("utf-8", codec, _lines(charsets.as_utf8(pieces, codec)))
    return Text(codec, codec, _lines(pieces))


def pieces_as_utf8(open_stream: Open, name: str, meter: Meter, encoding: str = "utf-8") -> Iterator[bytes]:
    """The object's content as UTF-8, in pieces; what cannot be decoded is left as bytes that UTF-8 has not."""
    text = text_of(open_stream, name, meter, encoding)
    codec = text.encoding
    pieces = _whole(meter.counted(content(open_stream, name)), codec)
    return pieces if codec == "utf-8" else charsets.as_utf8(pieces, codec)


def content_hash(stream: BinaryIO) -> str:
    """SHA-256 of an object's content, unpacked where it is a whole archive: packed anew it is the same."""
    packed, plain = hashlib.sha256(), hashlib.sha256()

    def seen() -> Iterator[bytes]:
        for piece in pieces_of(stream):
            packed.update(piece)
            yield piece

    pieces = seen()
    first = next(pieces, b"")
    kind = kind_by_content(first)
    if kind in ("", "zip"):  # workbooks are zip archives too
        for _ in pieces:
            pass
        return packed.hexdigest()
    try:
        for piece in unpacked(kind, _again(first, pieces)):
            plain.update(piece)
    except ObjectRefused:
        for _ in pieces:
            pass
        return packed.hexdigest()
    return plain.hexdigest()


def _first(pieces: Iterator[bytes]) -> bytes:
    """The first bytes, as many as any mark has."""
    first = b""
    for piece in pieces:
        first += piece
        if len(first) >= LONGEST_MAGIC:
            break
    return first


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _whole(pieces: Iterator[bytes], codec: str) -> Iterator[bytes]:
    """Drop the byte-order mark; refuse what is packed or encoded otherwise than it says."""
    first = _first(pieces)
    kind = kind_by_content(first)
    if kind:
        suffix = next(s for s, k in SUFFIXES.items() if k == kind)
        raise ObjectRefused(f"the content is a {kind} archive, but the name does not end in '{suffix}'. Name it so.")
    mark = charsets.marked(first)
    if mark.startswith(charsets.WIDE) and not codec.startswith(charsets.WIDE):
        raise ObjectRefused(f'the content is {mark[:6].upper()}. Deliver UTF-8, or declare encoding="{mark[:6]}" (or "detect").')
    yield first[len(next((m for m, c in charsets.MARKS if c == mark), b"")) :]
    yield from pieces


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes | None]:
    tail: list[bytes] = []
    held, cut = 0, False
    for piece in pieces:
        first, *rest = piece.split(b"\n")
        if rest:
            yield None if cut else b"".join((*tail, first)) if tail else first
            yield from rest[:-1]
            tail, held, cut = [], 0, False
            first = rest[-1]
        if first and not cut:
            tail.append(first)
            held += len(first)
            if held > LINE_LIMIT:
                tail, cut = [], True
    if cut:
        yield None
    elif tail:
        yield b"".join(tail)
