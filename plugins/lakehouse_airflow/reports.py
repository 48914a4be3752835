"""What a run's report says: to the asset event, to the next task."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any


def event_of(report: Any) -> dict[str, Any]:
    """For the asset event and XCom: plain values only."""
    return {
        "state": report.state, "rows": report.rows, "written": report.rows_written, "deleted": report.rows_deleted,
        "quarantined": report.rows_quarantined, "score": report.score, "version": report.version,
        "seconds": round(report.seconds, 2), "reason": report.reason,
    }  # fmt: skip


def plain(value: Any) -> Any:
    """Dataclasses and times as what JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
