"""Rows in a bronze table's quarantine put right, sent again, or given up: by a person, written down, landed once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lakehouse.declare.sources import ChangeRows, Csv, JsonLines
from lakehouse.declare.sources import Json as JsonDocument
from lakehouse.declare.tables import Table
from lakehouse.delta.location import table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.errors import LakehouseError
from lakehouse.run.corrections import Correction, batches, first, objects_of, put
from lakehouse.run.ledger import taken_so_far
from lakehouse.run.received import opener
from lakehouse.settings import settings
from lakehouse.sources.received import RAW_LIMIT

Held = Mapping[str, Any]
"""A row of the quarantine, by column."""


class NotRepaired(LakehouseError):
    """A correction that cannot be taken; nothing was landed."""


def must_be_bronze(table: Table) -> None:
    """Above bronze a row returns by itself as soon as it passes. Raises NotRepaired, which says how to get there."""
    if table.layer != "bronze":
        raise NotRepaired(
            f"{table.name} is made from {', '.join(i.name for i in table.inputs)}: its rows return by themselves as soon as they pass. "
            "Deliver the corrected object under its old name (it is restated), or put the rule on the bronze column: lines wait there then."
        )


def land_corrections(table: Table, held: Sequence[Held], texts: Mapping[str, str], by: str) -> str:
    """Land the waiting rows `held`, with the text of `texts` (by quarantine_id) where there is one; returns the object's name.

    Raises NotRepaired, naming each row that cannot be read or is being corrected already.
    """
    must_be_bronze(table)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    taken, _ = taken_so_far(table, DeltaLog(table_uri(table)))
    underway = {c.quarantine_id for c in first(objects_of(table, taken))}
    made, wrong = [], []
    for row in held:
        try:
            if row["quarantine_id"] in underway:
                raise NotRepaired(f"it was corrected already and lands with the next run: lakehouse run {table.name}")
            made.append(_correction(table, row, texts.get(row["quarantine_id"]), by, at))
        except NotRepaired as refused:
            wrong.append(f"  {row['source_file']} line {row['line']}: {refused}")
    if wrong:
        raise NotRepaired(f"{table.name}: nothing was landed.\n" + "\n".join(wrong[:20]))
    return put(table.name, made)


def _correction(table: Table, row: Held, text: str | None, by: str, at: str) -> Correction:
    said = Correction(row["quarantine_id"], row["source_file"], row["line"], "", by, at)
    if not row["line"]:
        if text is not None:
            raise NotRepaired("the object as a whole cannot be read. Deliver it under the same name, or `lakehouse quarantine replay` it.")
        return said
    if text is None and len(row["row"]) >= RAW_LIMIT:
        raise NotRepaired(f"its text is kept only to {RAW_LIMIT:,} characters. Deliver the object again under its name.")
    made = Correction(said.quarantine_id, said.source_file, said.line, _as_json(table, row, text or row["row"]), by, at)
    assert table.source is not None
    columns = tuple(c.received_as for c in table.columns)
    errors = [e for _, rows in batches(table.source, columns, [made]) for e in rows.column("_error").to_pylist() if e]
    if errors:
        raise NotRepaired(errors[0])
    return made


def _as_json(table: Table, row: Held, text: str) -> str:
    """The row in the names of its source; delimited text is read by the header of the object it came in."""
    text = text.strip()
    if text.startswith("{") or isinstance(table.source, ChangeRows | JsonLines | JsonDocument):
        return text
    if not isinstance(table.source, Csv):
        raise NotRepaired('write it as JSON in the names of the source: {"InvoiceNo": "536365", …}')
    from lakehouse.sources.delimited import one_record

    names = [c.received_as for c in table.columns]
    try:
        return json.dumps(one_record(table.source, opener(settings().landing, row["source_file"]), row["source_file"], names, text))
    except ValueError as refused:
        raise NotRepaired(str(refused)) from None


def chosen(rows: Iterable[Held], *, reason: str = "", file: str = "", before: datetime | None = None) -> list[Held]:
    """Waiting rows whose reason and object contain a text, held back before a moment."""
    return [
        r for r in rows if reason in r["reason"] and file in r["source_file"] and (before is None or r["quarantined_at"] < before)
    ]  # fmt: skip


def give_up(table: Table, held: Sequence[Held], by: str, why: str) -> None:
    """Rows out of the quarantine for good; they stay written down."""
    must_be_bronze(table)
    from lakehouse.delta.session import open_session
    from lakehouse.run.handled import expire
    from lakehouse.run.lock import one_writer

    at = datetime.now(UTC).isoformat(timespec="seconds")
    with one_writer(table.name), open_session() as spark:
        expire(spark, table.name, [r["quarantine_id"] for r in held], by, at, why)
