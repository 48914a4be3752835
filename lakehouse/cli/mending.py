"""`lakehouse quarantine fix|replay|expire|history`: what a person does with rows held back."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lakehouse.cli.lake import dataset
from lakehouse.declare.tables import Table
from lakehouse.delta.location import handled_uri, quarantine_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph

HISTORY = ["handled_at", "action", "handled_by", "reason", "source_file", "line", "row", "corrected", "handled_run"]
SHORT = 16
"""Characters of a quarantine_id that are shown and asked for."""


def waiting(table: Table) -> list[dict[str, Any]]:
    """The rows in a table's quarantine."""
    if DeltaLog(quarantine_uri(table.name)).version is None:
        return []
    rows: list[dict[str, Any]] = dataset(quarantine_uri(table.name)).to_table().to_pylist()
    return rows


def texts_of(rows: list[dict[str, Any]], file: Path | None, row_id: str, text: str) -> dict[str, str]:
    """Corrected texts by quarantine_id: from a file made by `quarantine show --format json` and edited, or one given by hand."""
    given = {row_id: text} if row_id else _from_file(file)
    by_id = {r["quarantine_id"][:SHORT]: r for r in rows}
    unknown = sorted(set(given) - set(by_id))
    if unknown:
        raise LakehouseError(f"'{unknown[0]}' is no row in this quarantine (it may have landed already). See `lakehouse quarantine show`.")
    return {by_id[i]["quarantine_id"]: t for i, t in given.items() if t != by_id[i]["row"]}


def _from_file(file: Path | None) -> dict[str, str]:
    if file is None:
        raise LakehouseError("Name the file with corrected rows, or one row: lakehouse quarantine fix TABLE --id ID --row TEXT.")
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))
        return {each["id"]: each["row"] for each in listed}
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise LakehouseError(
            f"{file} cannot be read ({type(wrong).__name__}: {wrong}). Valid: the JSON of `lakehouse quarantine show TABLE --format json`, "
            'with "row" corrected where it is wrong.'
        ) from None


def mend(graph: Graph, name: str, rows: list[dict[str, Any]], texts: dict[str, str], by: str) -> dict[str, Any]:
    """Land rows, run the table, and say what became of them."""
    from lakehouse.run import run_table
    from lakehouse.run.repair import land_corrections, must_be_bronze

    table = graph[name]
    must_be_bronze(table)
    if not rows:
        return {"table": name, "sent": 0, "landed": 0, "held_again": 0}
    land_corrections(table, rows, texts, by or getpass.getuser())
    report = run_table(graph, name)
    ids = {(r["source_file"], r["line"]) for r in rows}
    left = sum((r["source_file"], r["line"]) in ids for r in waiting(table))
    return {"table": name, "sent": len(rows), "landed": len(rows) - left, "held_again": left, "report": report.as_dict()}


def older(days: float) -> datetime:
    """The moment so many days ago."""
    return datetime.now(UTC) - timedelta(days=days)


def history(table: Table) -> tuple[list[str], list[tuple[Any, ...]]]:
    """What was done with rows that are not in the quarantine any more, newest first."""
    if DeltaLog(handled_uri(table.name)).version is None:
        return HISTORY, []
    rows = dataset(handled_uri(table.name)).to_table(columns=HISTORY).sort_by([("handled_at", "descending"), ("line", "ascending")])
    return HISTORY, [tuple(r.values()) for r in rows.to_pylist()]
