"""Archives unpacked piece by piece: whole, or not at all."""

from __future__ import annotations

import bz2
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from lakehouse.sources.received import ObjectRefused

PIECE = 1 << 18
PIECE_OF_ZSTD = 1 << 10
"""Its decompressor gives all that a piece holds at once, up to 26 MB for one of this size."""
SUFFIXES = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd", ".zip": "zip"}
MAGIC = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\0", "zstd": b"\x28\xb5\x2f\xfd", "zip": b"PK\x03\x04"}
LONGEST_MAGIC = 6
NOT_OURS = ("__MACOSX/", ".DS_Store")
BROKEN = (zlib.error, OSError, lzma.LZMAError, EOFError)

Open = Callable[[], BinaryIO]


def kind_by_name(name: str) -> str:
    """The packing an object's name promises: "gzip", "bzip2", "xz", "zstd", "zip", or "" for none."""
    return next((kind for suffix, kind in SUFFIXES.items() if name.lower().endswith(suffix)), "")


def kind_by_content(first: bytes) -> str:
    """The packing its first bytes show."""
    return next((kind for kind, magic in MAGIC.items() if first.startswith(magic)), "")


def pieces_of(stream: BinaryIO) -> Iterator[bytes]:
    """A stream in pieces."""
    while piece := stream.read(PIECE):
        yield piece


@contextmanager
def spooled(stream: BinaryIO) -> Iterator[BinaryIO]:
    """The stream as a temporary file, for formats that are read from their end."""
    with tempfile.TemporaryFile() as file:
        for piece in pieces_of(stream):
            file.write(piece)
        file.seek(0)
        yield file  # type: ignore[misc]


def content(open_stream: Open, name: str) -> Iterator[bytes]:
    """The object's bytes, unpacked as its name says. Raises ObjectRefused before the first where an archive is not whole."""
    kind = kind_by_name(name)
    if not kind:
        with open_stream() as stream:
            yield from pieces_of(stream)
    elif kind == "zip":
        with open_stream() as stream, spooled(stream) as file:
            for _ in _member(file):
                pass
            yield from _member(file)
    else:
        with open_stream() as stream:  # everything once before the first row: a cut archive must not give its first half
            for _ in unpacked(kind, pieces_of(stream)):
                pass
        with open_stream() as stream:
            yield from unpacked(kind, pieces_of(stream))


def unpacked(kind: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack one member after the other; anything but whole members is refused."""
    member, members = None, 0
    try:
        for left in _small(pieces) if kind == "zstd" else pieces:
            while left:
                if member is None:
                    left = left.lstrip(b"\0") if members and kind == "gzip" else left  # padding after a member is allowed
                    if not left:
                        break
                    member = _decompressor(kind)
                out, left = _step(kind, member, left)
                if out:
                    yield out
                if member.eof:
                    member, members = None, members + 1
    except BROKEN as broken:
        if isinstance(broken, ConnectionError | TimeoutError):
            raise
        raise ObjectRefused(f"the {kind} archive is damaged ({broken}). Deliver it again.") from None
    if member is not None:
        raise ObjectRefused(f"the {kind} archive ends too early: the delivery was cut off. Deliver it again.")
    if not members:
        raise ObjectRefused(f"the {kind} archive is empty: nothing was delivered. Deliver it again.")


def _small(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), PIECE_OF_ZSTD):
            yield piece[start : start + PIECE_OF_ZSTD]


def _decompressor(kind: str) -> Any:
    if kind == "gzip":
        return zlib.decompressobj(wbits=31)
    if kind == "bzip2":
        return bz2.BZ2Decompressor()
    if kind == "xz":
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=256 << 20)
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()


def _step(kind: str, member: Any, left: bytes) -> tuple[bytes, bytes]:
    """What one step unpacks, and the input that is left."""
    if kind == "gzip":
        out = member.decompress(left, PIECE * 4)
        return out, member.unconsumed_tail or member.unused_data
    if kind == "zstd":
        import zstandard

        try:
            return member.decompress(left), member.unused_data
        except zstandard.ZstdError as broken:
            raise EOFError(str(broken)) from None
    out = member.decompress(left, PIECE * 4)
    while not member.eof and not member.needs_input:  # the rest of a piece that unpacks to more
        out += member.decompress(b"", PIECE * 4)
        if len(out) > PIECE * 64:
            raise EOFError("it unpacks to far more than it holds")
    return out, member.unused_data if member.eof else b""


def _member(file: BinaryIO) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith(NOT_OURS[0])]
            members = [m for m in members if not m.filename.endswith(NOT_OURS[1])]
            if len(members) != 1:
                names = ", ".join(m.filename for m in members[:5]) or "none"
                raise ObjectRefused(f"the zip archive holds {len(members)} files ({names}). Pack one file an archive.")
            if members[0].flag_bits & 1:
                raise ObjectRefused("the zip archive is encrypted. Deliver it without a password, or over another way.")
            with archive.open(members[0]) as packed:
                yield from pieces_of(packed)  # type: ignore[arg-type]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError, ValueError, *BROKEN) as broken:
        raise ObjectRefused(f"the zip archive is damaged ({broken}). Deliver it again.") from None
