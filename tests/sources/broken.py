"""Broken deliveries of every kind, each with the reason it must be given: what a strict reader is proved on."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import zipfile
from collections.abc import Callable

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

Draw = random.Random
Line = tuple[bytes, str]
"""A line and a part of its reason; "" for a good one."""


def word(draw: Draw) -> str:
    return "".join(draw.choice("abcdeäöüßéłñ東京 -_/") for _ in range(draw.randrange(1, 9))).strip() or "x"


def record(draw: Draw) -> dict[str, object]:
    return {"id": draw.randrange(10**6), "name": word(draw), "price": draw.randrange(10**5) / 100}


def in_json(draw: Draw) -> str:
    return json.dumps(record(draw), ensure_ascii=draw.random() < 0.5)


def good_json(draw: Draw) -> bytes:
    return in_json(draw).encode()


JSON_FAULTS: tuple[Callable[[Draw], Line], ...] = (
    lambda d: (in_json(d).replace('"price"', '"id"').encode(), "comes twice in one object"),
    lambda d: ((in_json(d)[:-1] + ', "deep": {"a": 1, "a": 2}}').encode(), "the key 'a' comes twice"),
    lambda d: ((in_json(d) + " " + word(d)).encode(), "text after the object"),
    lambda d: ((in_json(d) + d.choice(["", " ", ", "]) + in_json(d)).encode(), "two objects on one line"),
    lambda d: (f"[{in_json(d)}]".encode(), "a JSON list stands where an object is expected"),
    lambda d: (str(d.randrange(10**9)).encode(), "a JSON number stands"),
    lambda d: (json.dumps(word(d)).encode(), "a JSON string stands"),
    lambda d: (d.choice([b"true", b"false"]), "a JSON boolean stands"),
    lambda d: (b"null", "a JSON null stands"),
    lambda d: (in_json(d).replace('"name"', d.choice(['"Name"', '"NAME"', '"nAme"'])).encode(), "otherwise than the declared 'name'"),
    lambda d: (in_json(d)[: d.randrange(1, 12)].encode(), "no JSON"),
    lambda d: (in_json(d).replace('"price": ', '"price": NaN, "x": ').encode(), "NaN is no JSON number"),
    lambda d: (in_json(d).replace('"price": ', '"price": -Infinity, "x": ').encode(), "-Infinity is no JSON number"),
    lambda d: ((in_json(d)[:-1] + r', "x": "a\u0000b"}').encode(), "a NUL character"),
    lambda d: ((in_json(d)[:-1] + r', "x": "\ud800"}').encode(), "half a surrogate pair"),
    lambda d: (in_json(d)[:-1].encode() + b', "x": "a\0b"}', "no JSON"),
    lambda d: (in_json(d)[:-1].encode() + b', "x": "caf\xe9"}', "no UTF-8 at byte"),
    lambda d: (in_json(d).replace('"', "'").encode(), "no JSON"),
    lambda d: (in_json(d)[:-1].encode() + b",}", "no JSON"),
    lambda d: (b"{" * 3_000, "no JSON"),
)


def change(draw: Draw, **given: object) -> str:
    whole = {"sequence": draw.randrange(10**9), "operation": "upsert", "at": "2026-11-21T10:00:00Z", "row": record(draw), **given}
    return json.dumps({k: v for k, v in whole.items() if v is not ...})


CHANGE_FAULTS: tuple[Callable[[Draw], Line], ...] = (
    *(lambda d, n=n: (change(d, **{n: ...}).encode(), f"a change row without {n}") for n in ("sequence", "operation", "at", "row")),
    *(lambda d, n=n: (change(d, **{n: None}).encode(), f"a change row without {n}") for n in ("sequence", "operation", "at", "row")),
    lambda d: (change(d, sequence=-1).encode(), "is no whole number from 0"),
    lambda d: (change(d, sequence=1.5).encode(), "is no whole number from 0"),
    lambda d: (change(d, sequence=2**63).encode(), "is no whole number from 0"),
    lambda d: (change(d, sequence="7").encode(), "is no whole number from 0"),
    lambda d: (change(d, operation=d.choice(["insert", "UPSERT", 3])).encode(), "is none; valid: upsert, delete"),
    lambda d: (change(d, at=1732183200).encode(), "is no time written as a string"),
    lambda d: (change(d, row=[1]).encode(), "row is no object"),
    lambda d: (change(d, row={"ID": 1}).encode(), "is spelled otherwise"),
    lambda d: (change(d).replace('"operation"', '"Operation"').encode(), "is spelled otherwise"),
    lambda d: (change(d)[:-9].encode(), "no JSON"),
)


def cells(draw: Draw) -> list[str]:
    return [str(draw.randrange(10**6)), word(draw), f"{draw.randrange(10**5) / 100:.2f}"]


def good_csv(draw: Draw) -> bytes:
    number, name, price = cells(draw)
    return f'{number},"{name}, ""x""",{price}'.encode() if draw.random() < 0.3 else f"{number},{name},{price}".encode()


CSV_FAULTS: tuple[Callable[[Draw], Line], ...] = (
    lambda d: (",".join(cells(d)[:2]).encode(), "too few fields: 2, the header has 3"),
    lambda d: (cells(d)[0].encode(), "too few fields: 1"),
    lambda d: (",".join([*cells(d), word(d)]).encode(), "too many fields: 4, the header has 3"),
    lambda d: ('{},a"b,{}'.format(*cells(d)[::2]).encode(), "a quote inside field 2, which does not begin with one"),
    lambda d: ('{},"ab"c,{}'.format(*cells(d)[::2]).encode(), "text after the closing quote of field 2"),
    lambda d: ('{},"ab" ,{}'.format(*cells(d)[::2]).encode(), "text after the closing quote of field 2"),
    lambda d: (",".join(cells(d)).encode() + b"\0", "a NUL character in the line"),
    lambda d: (b"1,caf\xe9,%d" % d.randrange(99), "no UTF-8 at byte 6 of the line"),
    lambda d: (b"1,\xed\xa0\x80,2", "no UTF-8 at byte 3 of the line"),
)
HEADER = b"id,name,price"


def batch(draw: Draw, good: Callable[[Draw], bytes], faults: tuple[Callable[[Draw], Line], ...], lines: int) -> list[Line]:
    """Lines of one object, three of four broken."""
    return [draw.choice(faults)(draw) if draw.random() < 0.75 else (good(draw), "") for _ in range(lines)]


# whole files ----------------------------------------------------------------------------------------------------------------


def _book() -> bytes:
    made = openpyxl.Workbook()
    for row in (["id", "name", "price"], *([n, f"name {n}", n / 4] for n in range(30))):
        made.active.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _parquet() -> bytes:
    out = io.BytesIO()
    names = pa.array([f"name {n}" for n in range(500)])
    pq.write_table(pa.table({"id": list(range(500)), "name": names, "price": [n / 4 for n in range(500)]}), out, write_page_checksum=True)
    return out.getvalue()


def _zip(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("orders.csv", content)
    return out.getvalue()


CSV = HEADER + b"\n" + b"".join(b"%d,name %d,%d\n" % (n, n * 7919 % 1000, n) for n in range(400))
DOCUMENT = json.dumps([{"id": n, "name": f"name {n}", "price": n / 4} for n in range(60)]).encode()
WHOLE = {
    "gzip": ("x.csv.gz", gzip.compress(CSV)), "bzip2": ("x.csv.bz2", bz2.compress(CSV)), "xz": ("x.csv.xz", lzma.compress(CSV)),
    "zstd": ("x.csv.zst", zstandard.ZstdCompressor(write_checksum=True).compress(CSV)), "zip": ("x.csv.zip", _zip(CSV)),
    "excel": ("x.xlsx", _book()), "parquet": ("x.parquet", _parquet()), "json": ("x.json", DOCUMENT),
}  # fmt: skip


def spoiled(draw: Draw, content: bytes) -> tuple[str, bytes]:
    """A delivery gone wrong: cut, emptied, overwritten in places, or with something put into it."""
    how = draw.choice(["cut", "cut", "empty", "flip", "zero", "insert", "drop", "noise"])
    at = draw.randrange(len(content))
    length = draw.randrange(1, 40)
    if how == "cut":
        return how, content[:at]
    if how == "empty":
        return how, b""
    if how == "flip":
        changed = bytearray(content)
        changed[at] ^= 1 << draw.randrange(8)
        return how, bytes(changed)
    if how == "zero":
        return how, content[:at] + b"\0" * min(length, len(content) - at) + content[at + length :]
    if how == "insert":
        return how, content[:at] + draw.randbytes(length) + content[at:]
    if how == "drop":
        return how, content[:at] + content[at + length :]
    return how, draw.randbytes(length * 10)
