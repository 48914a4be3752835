"""One run of one table: what identifies it, what it warned of, and the report it leaves."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from time import monotonic
from typing import Any

from lakehouse import storage
from lakehouse.declare.tables import Table
from lakehouse.delta.location import staged_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.graph import Graph
from lakehouse.quality.audit import Verdict
from lakehouse.run.report import Report
from lakehouse.run.stage import Staged
from lakehouse.run.state import Version, state_of


class Run:
    """One run's identity; what is learnt on the way is told here."""

    def __init__(self, graph: Graph, table: Table, full: bool, as_of: date | None) -> None:
        self.graph, self.table, self.full, self.as_of = graph, table, full, as_of
        self.started = datetime.now(UTC)
        self.clock = monotonic()
        self.id = f"{table.name}-{self.started:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
        self.now = self.started.strftime("%Y-%m-%d %H:%M:%S.%f")
        self.warnings: list[str] = []

    def warn(self, *warnings: str) -> None:
        """Keep each warning once."""
        self.warnings += [w for w in warnings if w not in self.warnings]

    def report(self, state: Any, **facts: Any) -> Report:
        """A report of this run with what is known."""
        rules = [v.as_dict() if isinstance(v, Verdict) else v for v in facts.pop("rules", [])]
        return Report(
            self.table.name, state, self.id, rules=rules, warnings=self.warnings, seconds=round(monotonic() - self.clock, 3),
            started_at=self.started.isoformat(timespec="seconds"), **facts,
        )  # fmt: skip

    def idle(self, state: str, reason: str, inputs: dict[str, Version] | None = None) -> Report:
        """A report of having had nothing to do: the table as it stands."""
        log = DeltaLog(table_uri(self.table))
        known = state_of(log.newest_that_counts())
        return self.report(
            state, reason=reason, version=log.version, rows=known.rows if known else None, score=known.score if known else None,
            inputs={n: v.version for n, v in (inputs or {}).items()},
        )  # fmt: skip

    def published(self, staged: Staged, verdicts: list[Verdict], version: int, rows: int, flagged: int, **facts: Any) -> Report:
        """A report of having published what was staged."""
        return self.report(
            "published", version=version, rows=rows, rows_written=staged.count("upsert"), rows_deleted=staged.count("delete"),
            rows_quarantined=staged.count("quarantine"), score=(rows - flagged) / rows if rows else None,
            batch_score=1 - staged.batch_flagged / staged.judged if staged.judged else None, rules=verdicts, **facts,
        )  # fmt: skip

    def sweep(self) -> None:
        """Remove what this and dead runs of the table staged; the table's lock says that no other run is alive."""
        storage.delete_prefix(staged_uri(self.table.name))
