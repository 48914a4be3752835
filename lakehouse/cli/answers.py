"""Rows and values on standard output: as a table for a person, as JSON or CSV for a program."""

from __future__ import annotations

import csv
import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]], form: str) -> None:
    """One answer in the form asked for."""
    {"table": _table, "json": _json, "csv": _csv}[form](list(columns), rows)


def print_json(value: Any) -> None:
    """Any value of ours as JSON."""
    sys.stdout.write(json.dumps(value, default=plain, ensure_ascii=False, indent=2) + "\n")


def plain(value: Any) -> Any:
    """A value JSON knows; a decimal is a number where that changes no digit of it, else text."""
    if isinstance(value, Decimal):
        near = float(value)
        return near if value.is_finite() and Decimal(repr(near)) == value else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, UUID):
        return str(value)
    if hasattr(value, "asDict"):  # a row within a row of Spark
        return value.asDict(recursive=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    return str(value)


def shown(value: Any) -> str:
    """A value in a table for a person."""
    if value is None:
        return "∅"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, int | str | float | Decimal):
        return str(value)
    return json.dumps(value, default=plain, ensure_ascii=False) if isinstance(value, dict | list | tuple) else str(plain(value))


def _json(columns: list[str], rows: Iterable[Sequence[Any]]) -> None:
    names = _apart(columns)
    print_json([dict(zip(names, map(_finite, row), strict=True)) for row in rows])


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return None if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))) else value


def _apart(columns: list[str]) -> list[str]:
    """`SELECT a, a` has two columns of one name, an object cannot."""
    seen: dict[str, int] = {}
    names = []
    for name in columns:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return names


def _csv(columns: list[str], rows: Iterable[Sequence[Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if v is None else v if type(v) in (str, int, float, Decimal) else _one_line(v) for v in row])


def _one_line(value: Any) -> str:
    known = value if isinstance(value, bool | dict | list) else plain(value)
    return known if isinstance(known, str) else json.dumps(known, default=plain, ensure_ascii=False)


def _table(columns: list[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.text import Text

    drawn = grid()
    for place, name in enumerate(columns):
        numbers = any(isinstance(row[place], int | float | Decimal) and not isinstance(row[place], bool) for row in rows)
        drawn.add_column(Text(name), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(shown(value)) for value in row))
    console().print(drawn)


def grid() -> Any:
    """A table with a line under its head and nothing else."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)


def console() -> Any:
    """The terminal; where standard output is a pipe or a file, wide enough that nothing is cut."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else 4_000)
