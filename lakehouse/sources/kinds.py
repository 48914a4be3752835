"""What a column of text holds: the narrowest kind that takes every value without loss."""

from __future__ import annotations

import re
from typing import Any

DAY = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
PATTERNS = {
    "boolean": r"^(true|false|True|False|TRUE|FALSE)$",
    "integer": r"^-?(0|[1-9][0-9]{0,17})$",
    "decimal": r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?$",
    "number": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$",
    "date": rf"^{DAY}$",
    "timestamp": rf"^{DAY}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{{1,9}})?)?(Z|[+-][0-9]{{2}}:?[0-9]{{2}})?)?$",
}
"""Kinds and how their values are written; of two that hold, the earlier is the narrower. Codes such as 007 are text."""
WIDER = {
    frozenset(("integer", "decimal")): "decimal", frozenset(("integer", "number")): "number",
    frozenset(("decimal", "number")): "number", frozenset(("date", "timestamp")): "timestamp",
}  # fmt: skip
SIZES = (("tinyint", 2**7), ("smallint", 2**15), ("int", 2**31), ("bigint", 2**63))


def kind_of(texts: Any) -> str:
    """The kind of an Arrow array of text: a name of `PATTERNS`, "string", or "null" where no value says anything."""
    import pyarrow.compute as pc

    known = texts.drop_null()
    if not len(known):
        return "null"
    first = known[0].as_py()
    for kind, pattern in PATTERNS.items():
        if re.match(pattern, first) and pc.all(pc.match_substring_regex(known, pattern)).as_py():
            return kind
    return "string"


def widened(one: str, other: str) -> str:
    """The kind that takes the values of both."""
    if one == other or other == "null":
        return one
    if one == "null":
        return other
    return WIDER.get(frozenset((one, other)), "string")


def integer_type(least: int, most: int) -> str:
    """The smallest of Spark's integer types for a range."""
    return next(name for name, size in SIZES if -size <= least and most < size)
