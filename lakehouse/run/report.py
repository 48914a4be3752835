"""What a run reports: to the person who ran it, to Airflow's asset event, to `ops.runs`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Report:
    """One run of one table."""

    table: str
    state: Literal["published", "up to date", "waiting", "stopped", "failed"]
    run_id: str
    reason: str = ""
    version: int | None = None
    rows: int | None = None
    """Live rows of the table after the run."""
    rows_written: int = 0
    rows_deleted: int = 0
    rows_quarantined: int = 0
    score: float | None = None
    """Share of the table's rows that pass every level 2 rule."""
    batch_score: float | None = None
    inputs: dict[str, int] = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    received: int | None = None
    """Bronze: lines received; equals written + quarantined + those of objects left aside."""
    duplicates: int = 0
    """Bronze: objects left aside because their content was taken before."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Bronze: why lines went to quarantine, the most frequent first."""
    seconds: float = 0.0
    started_at: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        if self.state in ("up to date", "waiting"):
            return f"{self.table}: {self.state} ({self.reason})"
        score = "" if self.score is None else f", score {self.score:.2%}"
        held = f", {self.rows_quarantined} to quarantine" if self.rows_quarantined else ""
        return (
            f"{self.table}: {self.state} as version {self.version}: {self.rows_written} rows written, {self.rows_deleted} deleted"
            f"{held}{score} in {self.seconds:.1f} s ({self.reason})"
        )
