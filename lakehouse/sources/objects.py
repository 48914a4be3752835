"""Bytes of an object as lines, in bounded memory; a damaged archive gives none."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from lakehouse.sources.received import ObjectRefused

PIECE = 1 << 18
LINE_LIMIT = 16 << 20
GZIP = b"\x1f\x8b"
UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

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


def lines_of(open_stream: Open, name: str, meter: Meter) -> Iterator[bytes | None]:
    """Lines without their line end, None for one past the limit. Raises ObjectRefused before the first."""
    if name.endswith(".gz"):
        _check_gzip(open_stream)
    with open_stream() as stream:
        pieces = _pieces(stream)
        yield from _lines(_checked(meter.counted(_unpacked(pieces) if name.endswith(".gz") else pieces)))


def content_hash(stream: BinaryIO) -> str:
    """SHA-256 of an object's content, unpacked where it is whole gzip: packed anew it is the same."""
    packed, plain = hashlib.sha256(), hashlib.sha256()

    def seen() -> Iterator[bytes]:
        for piece in _pieces(stream):
            packed.update(piece)
            yield piece

    pieces = seen()
    first = next(pieces, b"")
    if not first.startswith(GZIP):
        for _ in pieces:
            pass
        return packed.hexdigest()
    try:
        for piece in _unpacked(_again(first, pieces)):
            plain.update(piece)
    except ObjectRefused:
        for _ in pieces:
            pass
        return packed.hexdigest()
    return plain.hexdigest()


def _check_gzip(open_stream: Open) -> None:
    """Unpack everything once: a cut archive must not give its first half."""
    with open_stream() as stream:
        for _ in _unpacked(_pieces(stream)):
            pass


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(PIECE):
        yield piece


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Gunzip, one member after the other; anything but whole members is refused."""
    member, members = None, 0
    try:
        for piece in pieces:
            left = piece
            while left:
                if member is None:
                    left = left.lstrip(b"\0") if members else left  # padding after a member is allowed
                    if not left:
                        break
                    member = zlib.decompressobj(wbits=31)
                out = member.decompress(left, PIECE * 4)
                left = member.unconsumed_tail or member.unused_data
                if out:
                    yield out
                if member.eof:
                    member, members = None, members + 1
    except zlib.error as broken:
        raise ObjectRefused(f"the gzip archive is damaged ({broken}). Deliver it again.") from None
    if member is not None:
        raise ObjectRefused("the gzip archive ends too early: the delivery was cut off. Deliver it again.")
    if not members:
        raise ObjectRefused("the gzip archive is empty: nothing was delivered. Deliver it again.")


def _checked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Drop UTF-8's mark; refuse what is packed or encoded otherwise than it says."""
    first = b""
    for piece in pieces:
        first += piece
        if len(first) >= len(UTF8_MARK):
            break
    if first.startswith(GZIP):
        raise ObjectRefused("the content is a gzip archive, but the name does not end in '.gz'. Name it so.")
    if first.startswith(UTF16_MARKS):
        raise ObjectRefused("the content is UTF-16. Deliver UTF-8.")
    yield first.removeprefix(UTF8_MARK)
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
