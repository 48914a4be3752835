"""Files that stay what they are (images, documents, recordings): of each one row with what it is, how large, and its content's hash.

The kind is what the content shows, not what the name says. A file that is cut off gives no row: its format says how it ends.
"""

from __future__ import annotations

import hashlib
import struct
from fnmatch import fnmatch

from lakehouse.sources.packed import Open, pieces_of
from lakehouse.sources.received import Items, Names, ObjectRefused

KEPT = 256 << 10
MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF87a", "image/gif"), (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"), (b"PK\x03\x04", "application/zip"), (b"\x1f\x8b", "application/gzip"), (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"), (b"II*\x00", "image/tiff"), (b"MM\x00*", "image/tiff"), (b"{\\rtf", "application/rtf"),
)  # fmt: skip
RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
OFFICE = {
    b"word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    b"xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    b"ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
ENDS = {
    "image/png": (b"IEND\xaeB`\x82", KEPT), "image/jpeg": (b"\xff\xd9", KEPT), "image/gif": (b";", 1), "application/pdf": (b"%%EOF", 2048),
    "application/zip": (b"PK\x05\x06", 66_000),
}  # fmt: skip
"""How a whole file ends: a mark and among how many last bytes it stands."""


def rows(open_stream: Open, name: str, names: Names, types: tuple[str, ...]) -> Items:
    """One row, whatever the file holds; it is streamed, never held. Raises ObjectRefused for what is empty, cut off or of another kind."""
    digest, size, head, tail = hashlib.sha256(), 0, b"", b""
    with open_stream() as stream:
        for piece in pieces_of(stream):
            digest.update(piece)
            size += len(piece)
            if len(head) < KEPT:
                head += piece[: KEPT - len(head)]
            tail = (tail + piece)[-KEPT:]
    if not size:
        raise ObjectRefused("the object is empty. Deliver it again.")
    kind = media_type(head, size)
    if types and not any(fnmatch(kind, wanted) for wanted in types):
        raise ObjectRefused(f"the content is {kind}; declared are {', '.join(types)}.")
    _must_be_whole(kind, head, tail, size)
    width, height = pixels(kind, head)
    found = {"object": name, "media_type": kind, "bytes": size, "sha256": digest.hexdigest(), "width": width, "height": height}
    yield 1, [None if found[n] is None else str(found[n]) for n in names.declared]


def media_type(head: bytes, size: int) -> str:
    """The kind that a content's first bytes show."""
    for magic, kind in MAGIC:
        if head.startswith(magic):
            if kind == "application/zip":
                return next((office for part, office in OFFICE.items() if part in head[:KEPT]), kind)
            return kind
    if head[:4] == b"RIFF":
        return RIFF.get(head[8:12], "application/octet-stream")
    if head[4:8] == b"ftyp":
        return "image/heic" if head[8:12] in (b"heic", b"mif1") else "video/mp4"
    try:
        text = head.decode()
    except UnicodeDecodeError as wrong:
        if size <= len(head) or wrong.start < len(head) - 4:
            return "application/octet-stream"
        text = head[: wrong.start].decode()
    if "\0" in text:
        return "application/octet-stream"
    start = text.lstrip("\ufeff \r\n\t")[:200].lower()
    if start.startswith(("<!doctype html", "<html")):
        return "text/html"
    return "image/svg+xml" if "<svg" in start else "text/xml" if start.startswith("<?xml") else "text/plain"


def _must_be_whole(kind: str, head: bytes, tail: bytes, size: int) -> None:
    form = "application/zip" if kind in OFFICE.values() else kind
    mark, among = ENDS.get(form, (b"", 0))
    if mark and mark not in tail[-among:]:
        raise ObjectRefused(f"the {kind} ends too early: the delivery was cut off. Deliver it again.")
    if head[:4] == b"RIFF" and struct.unpack("<I", head[4:8])[0] + 8 > size:
        raise ObjectRefused(f"the {kind} ends too early: the delivery was cut off. Deliver it again.")


def pixels(kind: str, head: bytes) -> tuple[int | None, int | None]:
    """Width and height of an image, where its first bytes say them."""
    if kind == "image/png" and len(head) >= 24:
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    if kind == "image/gif" and len(head) >= 10:
        width, height = struct.unpack("<HH", head[6:10])
        return width, height
    return _of_jpeg(head) if kind == "image/jpeg" else (None, None)


def _of_jpeg(head: bytes) -> tuple[int | None, int | None]:
    """Segment after segment to the one that starts the frame (SOF)."""
    place = 2
    while place + 9 <= len(head) and head[place] == 0xFF:
        marker = head[place + 1]
        if marker in range(0xC0, 0xD0) and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", head[place + 5 : place + 9])
            return width, height
        place += 2 + struct.unpack(">H", head[place + 2 : place + 4])[0]
    return None, None
