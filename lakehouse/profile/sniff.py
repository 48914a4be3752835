"""How a file has to be declared so that it can be read: format, encoding, delimiter, header, names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from lakehouse.declare.sources import Csv, Excel, Json, JsonLines, Parquet, Source
from lakehouse.errors import LakehouseError
from lakehouse.sources import charsets
from lakehouse.sources.delimited import first_record
from lakehouse.sources.kinds import PATTERNS
from lakehouse.sources.objects import Meter, text_of
from lakehouse.sources.packed import SUFFIXES, content
from lakehouse.sources.read import findings, read_object

ENDINGS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".tab": "csv", ".json": "json", ".jsonl": "lines", ".ndjson": "lines", ".xlsx": "excel",
    ".parquet": "parquet",
}  # fmt: skip
NAMED_AFTER = 2_000
"""Rows of JSON looked at for names."""


@dataclass(frozen=True)
class Sniffed:
    """A source that reads the file (`prefix` empty), and the columns it will find."""

    source: Source
    columns: tuple[str, ...]
    name: str
    opened: Callable[[], BinaryIO]

    def batches(self) -> Any:
        """The file's rows, strictly read."""
        return read_object(self.source, self.columns, self.opened, self.name)


def sniff(opened: Callable[[], BinaryIO], name: str) -> Sniffed:
    """Look at a file. Raises LakehouseError where its format is not known, ObjectRefused where it is damaged."""
    plain = name.lower()
    for suffix in SUFFIXES:
        plain = plain.removesuffix(suffix)
    kind = next((k for ending, k in ENDINGS.items() if plain.endswith(ending)), "")
    if not kind:
        raise LakehouseError(f"'{name}' has an unknown ending. Valid: {', '.join(ENDINGS)}, and packed: {', '.join(SUFFIXES)}.")
    if kind == "csv":
        return _delimited(opened, name)
    if kind == "json":
        kind = "document" if _first_sign(opened, name) == "[" else "lines"
    sources: dict[str, Source] = {"lines": JsonLines(""), "document": Json(""), "excel": Excel(""), "parquet": Parquet("")}
    return Sniffed(sources[kind], _names(sources[kind], opened, name), name, opened)


def _first_sign(opened: Callable[[], BinaryIO], name: str) -> str:
    first = next((p for p in content(opened, name) if p.strip()), b"")
    return first.removeprefix(b"\xef\xbb\xbf").lstrip()[:1].decode("utf-8", "replace")


def _names(source: Source, opened: Callable[[], BinaryIO], name: str) -> tuple[str, ...]:
    """Names met when none is declared. Raises LakehouseError with the reader's reason where there is none."""
    names: list[str] = []
    rows, reason = 0, ""
    for batch in read_object(source, (), opened, name):
        names = findings(batch).get("unknown", [])
        rows += batch.num_rows
        reason = reason or next((e for e in batch.column("_error").to_pylist() if e), "")
        if rows >= NAMED_AFTER:
            break
    if not names:
        raise LakehouseError(f"'{name}' gives no columns: {reason or 'it holds no row'}")
    return tuple(names)


def _delimited(opened: Callable[[], BinaryIO], name: str) -> Sniffed:
    encoding = charsets.detected(content(opened, name))
    text = text_of(opened, name, Meter(), encoding)
    delimiter, first = first_record(text, "\t" if ".tsv" in name.lower() else "detect")
    header = not any(_is_value(cell) for cell in first) and len(set(first)) == len(first) and all(first)
    columns = tuple(first) if header else tuple(f"column_{n}" for n in range(1, len(first) + 1))
    return Sniffed(Csv("", delimiter=delimiter, encoding=encoding, header=header), columns, name, opened)


def _is_value(cell: str) -> bool:
    """A number, a day or a flag names no column."""
    return any(re.match(pattern, cell) for kind, pattern in PATTERNS.items() if kind != "boolean") or "@" in cell
