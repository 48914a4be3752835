"""Characters: what an object's bytes are encoded in, by its mark, by what is declared, or by what they read like."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from lakehouse.sources.received import ObjectRefused

DETECT = "detect"
MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
CANDIDATES = ("cp1252", "mac_roman", "cp1250")
"""Single-byte encodings that exports of offices and shops come in; the first wins where two read equally well."""
KEPT = 1 << 18
WIDE = ("utf-16", "utf-32", "utf-7")


def codec_of(encoding: str) -> str:
    """Python's name for an encoding. Raises ObjectRefused where there is none."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise ObjectRefused(
            f"encoding='{encoding}' is none. Valid: utf-8, cp1252, latin-1, mac_roman, utf-16…, or \"detect\"."
        ) from None


def is_wide(codec: str) -> bool:
    """Whether lines can be cut only after decoding."""
    return codec.startswith(WIDE)


def marked(first: bytes) -> str:
    """The encoding its byte-order mark shows, or ""."""
    return next((codec for mark, codec in MARKS if first.startswith(mark)), "")


def detected(pieces: Iterator[bytes]) -> str:
    """The encoding of a whole object, streamed once: its mark, UTF-8 where all of it is, else the one it reads best in."""
    utf8, is_utf8, sample, first = codecs.getincrementaldecoder("utf-8")(), True, bytearray(), b""
    for piece in pieces:
        if not first:
            first = piece[:4096]
            if marked(first):
                return marked(first)
            if wide := _unmarked(first):
                return wide
        if is_utf8:
            try:
                utf8.decode(piece)
            except UnicodeDecodeError:
                is_utf8 = False
        if len(sample) < KEPT and not piece.isascii():
            sample += b"\n".join(line for line in piece.split(b"\n") if not line.isascii())[:KEPT]
    return "utf-8" if is_utf8 else max(CANDIDATES, key=lambda codec: reads_well(bytes(sample), codec))


def _unmarked(first: bytes) -> str:
    """UTF-16 without its mark: every other byte of Latin text is zero."""
    odd, even = first[1::2].count(0), first[::2].count(0)
    if max(odd, even) * 4 < len(first):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def reads_well(sample: bytes, codec: str) -> float:
    """How much a sample reads like text in an encoding: letters within words speak for it, signs and capitals there against it."""
    text = sample.decode(codec, errors="replace")
    score = 0.0
    for place, character in enumerate(text):
        if character.isascii():
            continue
        before = text[place - 1] if place else " "
        after = text[place + 1] if place + 1 < len(text) else " "
        inside = before.isalpha() or after.isalpha()
        if character == "\ufffd" or not character.isprintable():
            score -= 5
        elif character.isalpha():
            if character.isupper() and (before.islower() or (after.islower() and not before.isascii())):
                score -= 2
            elif inside:
                score += 1
        elif character in "‘’“”–—…" or (character in "€£°©®™·§«»" and not before.isalpha()):
            score += 0.7
        else:
            score -= 1 if inside else 0.2
    return score


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error("lakehouse.mark", _mark)


def as_utf8(pieces: Iterator[bytes], codec: str) -> Iterator[bytes]:
    """Any encoding as UTF-8; what cannot be decoded becomes a byte that UTF-8 has not, so that its line is refused like any other."""
    decoder = codecs.getincrementaldecoder(codec)("lakehouse.mark")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "surrogateescape")
    yield decoder.decode(b"", True).encode("utf-8", "surrogateescape")
