"""Objects made in memory, read as bronze reads them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from lakehouse.declare.sources import Source
from lakehouse.sources.read import findings, read_object


def rows(source: Source, content: bytes, columns: Sequence[str] = ("id", "name", "price"), name: str = "x") -> list[dict[str, Any]]:
    """All rows and errors of an object, by line."""
    found = [row for batch in read_object(source, columns, lambda: io.BytesIO(content), name) for row in batch.to_pylist()]
    return sorted(found, key=lambda r: r["_line"])


def values(source: Source, content: bytes, columns: Sequence[str] = ("id", "name", "price"), name: str = "x") -> list[tuple[Any, ...]]:
    """The rows of an object that has no error."""
    found = rows(source, content, columns, name)
    assert [r["_error"] for r in found] == [None] * len(found)
    return [tuple(r[f"c{n}"] for n in range(len(columns))) for r in found]


def only_error(source: Source, content: bytes, columns: Sequence[str] = ("id", "name", "price"), name: str = "x") -> str:
    """Why an object gives no row at all."""
    found = rows(source, content, columns, name)
    assert [r["_line"] for r in found] == [0], found[:3]
    return str(found[0]["_error"])


def met(source: Source, content: bytes, columns: Sequence[str] = ("id", "name", "price"), name: str = "x") -> dict[str, Any]:
    """What was found beside the rows."""
    return findings(list(read_object(source, columns, lambda: io.BytesIO(content), name))[-1])
