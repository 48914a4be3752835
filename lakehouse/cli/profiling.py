"""`lakehouse profile` and `lakehouse new source`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lakehouse.cli import answers
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from lakehouse.profile import Profile, profiled, sniff

SHOWN = ["column", "type", "empty", "distinct", "from", "to", "written", "likely"]


def of_file(file: Path) -> Profile:
    """The profile of a file."""
    found = sniff(lambda: file.open("rb"), file.name)
    return profiled(file.name, found.columns, found.batches())


def of_table(graph: Graph, name: str) -> Profile:
    """The profile of a table's rows as readers see them."""
    from lakehouse.cli.lake import dataset
    from lakehouse.delta.location import table_uri
    from lakehouse.delta.log import DeltaLog

    table = graph[name]
    if table.live is not None:
        raise LakehouseError(f"{name} is virtual: its rows are in '{table.live.source}'. Profile a table that reads it.")
    if DeltaLog(table_uri(table)).version is None:
        raise LakehouseError(f"{name} has no data yet. Run it first: lakehouse run {name} --with-upstream")
    found = dataset(table_uri(table))
    columns = [c.name for c in table.columns if c.name in found.schema.names]
    return profiled(name, columns, _texts(found, columns))


def _texts(found: Any, columns: list[str]) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.dataset as ds

    from lakehouse.sources.columnar import as_text

    living = ~ds.field("_deleted") if "_deleted" in found.schema.names else None
    for batch in found.to_batches(columns=columns, filter=living, batch_size=20_000):
        arrays = [as_text(batch.column(n)) for n in range(len(columns))]
        labels = [f"c{n}" for n in range(len(columns))]
        yield pa.RecordBatch.from_arrays([*arrays, pa.nulls(batch.num_rows, pa.string())], names=[*labels, "_error"])


def in_words(profile: Profile) -> None:
    """The profile, for a person."""
    print(f"{profile.name}: {profile.rows:,} rows, {len(profile.columns)} columns")
    rows = []
    for c in profile.columns:
        likely = ", ".join(filter(None, ["key" if c.likely_key else "", c.personal]))
        empty = f"{c.nulls:,} ({c.nulls / c.rows:.0%})" if c.rows else "0"
        written = ", ".join(f"{p} {s:.0%}" for p, s in c.patterns[:2])
        distinct = f"{'≈ ' if c.overflown else ''}{c.distinct:,}"
        rows.append((c.name, c.type, empty, distinct, (c.least or "")[:24], (c.most or "")[:24], written[:48], likely))
    answers.print_rows(SHOWN, rows, "table")
    for reason, count in profile.unreadable.most_common(10):
        print(f"cannot be read: {count:,} lines, {reason}")


def new_source(file: Path, jobs: Path, name: str, things: str, owner: str) -> list[Path]:
    """Write the bronze and silver files for a file of a new source; those that are there are left alone. Raises LakehouseError."""
    from lakehouse.profile.declaration import declared, snake

    if not file.is_file():
        raise LakehouseError(f"'{file}' is no file. Name one as the source delivers it: lakehouse new source path/to/orders.csv")
    stem = snake(re.sub(r"\.(csv|tsv|txt|tab|json|jsonl|ndjson|xlsx|parquet|gz|bz2|xz|zst|zip)$", "", file.name.lower().split(".")[0]))
    name, things = name or snake(file.resolve().parent.name), things or stem
    for given in (name, things):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", given) or "__" in given:
            raise LakehouseError(f"'{given}' is no name. Valid: small letters, digits and single underscores, such as crm or won_deals.")
    found = sniff(lambda: file.open("rb"), file.name)
    profile = profiled(file.name, found.columns, found.batches())
    files = declared(profile, found.source, name, things, owner)
    paths = {jobs / path: text for path, text in files.texts.items()}
    there = [p for p in paths if p.exists()]
    if there:
        raise LakehouseError(f"{there[0]} exists already. Name it otherwise: --source NAME --things NAME.")
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(paths)
