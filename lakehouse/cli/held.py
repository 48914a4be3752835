"""Rows held back: counts and reasons over all tables, and the rows of one."""

from __future__ import annotations

from typing import Any

from lakehouse.cli.lake import dataset
from lakehouse.cli.mending import SHORT
from lakehouse.declare.tables import Table
from lakehouse.delta.location import quarantine_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.graph import Graph

SUMMARY = ["table", "reason", "rows", "first", "last"]
COLUMNS = ["quarantined_at", "reason", "row_key", "source_file", "line", "published", "run_id", "row", "id"]


def summary(graph: Graph) -> tuple[list[str], list[tuple[Any, ...]]]:
    """One line for each table and reason."""
    import pyarrow.compute as pc

    found: list[tuple[Any, ...]] = []
    for name in graph.order():
        if DeltaLog(quarantine_uri(name)).version is None:
            continue
        rows = dataset(quarantine_uri(name)).to_table(columns=["reason", "quarantined_at"])
        rows = rows.set_column(0, "reason", pc.utf8_slice_codeunits(rows["reason"], 0, 120))
        counted = rows.group_by("reason").aggregate([("reason", "count"), ("quarantined_at", "min"), ("quarantined_at", "max")])
        each = [(name, r["reason"], r["reason_count"], r["quarantined_at_min"], r["quarantined_at_max"]) for r in counted.to_pylist()]
        found += sorted(each, key=lambda row: -row[2])
    return SUMMARY, found


def reasons_of(name: str) -> dict[str, int]:
    """Rows that wait in a table's quarantine, by reason, the most frequent first."""
    if DeltaLog(quarantine_uri(name)).version is None:
        return {}
    import pyarrow.compute as pc

    counted = pc.value_counts(dataset(quarantine_uri(name)).to_table(columns=["reason"])["reason"]).to_pylist()
    return {c["values"][:120]: c["counts"] for c in sorted(counted, key=lambda c: -c["counts"])[:20]}


def rows_of(graph: Graph, name: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]], int]:
    """Newest first; `published` says whether the run that held a row back was published. The last value: how many more there are."""
    table = graph[name]
    if DeltaLog(quarantine_uri(name)).version is None:
        return COLUMNS, [], 0
    rows = dataset(quarantine_uri(name)).to_table()
    last = _last_number(table)
    newest = rows.sort_by([("quarantined_at", "descending"), ("source_file", "ascending"), ("line", "ascending")])
    shown = ({**r, "published": r["run_number"] <= last, "id": r["quarantine_id"][:SHORT]} for r in newest.slice(0, limit).to_pylist())
    found = [tuple(row[c] for c in COLUMNS) for row in shown]
    return COLUMNS, found, max(0, rows.num_rows - limit)


def _last_number(table: Table) -> int:
    """The number of the table's last publication: rows of a higher one wait for theirs."""
    numbers = (c.number for c in DeltaLog(table_uri(table)).back())
    return next((n for n in numbers if n is not None), -1)
