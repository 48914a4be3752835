"""Upkeep of a table: compact its files, remove those that nobody can read any more."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from lakehouse.delta.location import quarantine_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.delta.session import open_session
from lakehouse.graph import Graph
from lakehouse.run.lock import one_writer

RETAIN_HOURS = 168


@dataclass(frozen=True)
class Upkeep:
    """What was done to a table."""

    table: str
    files_added: int = 0
    files_removed: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.files_removed} files compacted into {self.files_added}, old ones removed, {self.seconds:.1f} s"


def maintain(graph: Graph, name: str, retain_hours: int = RETAIN_HOURS) -> Upkeep:
    """OPTIMIZE and VACUUM a table and its quarantine, in turn with its runs. Changes no row and wakes no reader."""
    table, started = graph[name], monotonic()
    there = [uri for uri in (table_uri(table), quarantine_uri(name)) if DeltaLog(uri).version is not None]
    added = removed = 0
    if there:
        with one_writer(name), open_session() as spark:
            for uri in there:
                metrics = spark.sql(f"OPTIMIZE delta.`{uri}`").select("metrics.numFilesAdded", "metrics.numFilesRemoved").collect()
                added, removed = added + sum(m[0] for m in metrics), removed + sum(m[1] for m in metrics)
                spark.sql(f"VACUUM delta.`{uri}` RETAIN {retain_hours} HOURS").collect()
    return Upkeep(name, added, removed, round(monotonic() - started, 3))
