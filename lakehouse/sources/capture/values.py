"""A value as Postgres writes it to JSON: numbers keep their literal, times are ISO 8601, arrays are lists, documents stay text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from json.encoder import encode_basestring

NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
BOOL, TIMESTAMP, TIMESTAMPTZ = 16, 1114, 1184
NUMBERS = {20, 21, 23, 26, 700, 701, 1700}
Write = Callable[[str], str]


def row_of(names: Sequence[str], types: Sequence[int], values: Sequence[object]) -> str:
    """A row as a JSON object; `values` are text as the server writes it, or None."""
    pairs = (
        f"{encode_basestring(name)}: {'null' if value is None else _writer(kind)(str(value))}"
        for name, kind, value in zip(names, types, values, strict=True)
    )
    return "{" + ", ".join(pairs) + "}"


@lru_cache(maxsize=1024)
def _writer(kind: int) -> Write:
    if kind == BOOL:
        return lambda text: "true" if text == "t" else "false"
    if kind in NUMBERS:
        return lambda text: text if NUMBER.fullmatch(text) else encode_basestring(text)  # NaN and Infinity are no JSON
    if kind == TIMESTAMP:
        return lambda text: encode_basestring(text.replace(" ", "T", 1))
    if kind == TIMESTAMPTZ:
        return lambda text: encode_basestring(text.replace(" ", "T", 1) + (":00" if text.endswith("+00") else ""))
    return _array(kind) or encode_basestring


def _array(kind: int) -> Write | None:
    from psycopg import adapters
    from psycopg.adapt import Transformer
    from psycopg.pq import Format

    known = adapters.types.get(kind)
    if known is None or known.array_oid != kind:
        return None
    loader = Transformer().get_loader(kind, Format.TEXT)
    return lambda text: json.dumps(loader.load(text.encode()), default=str, ensure_ascii=False)
