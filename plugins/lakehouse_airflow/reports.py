"""What a run's report says: to a person, to the asset event, to the next task."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any


def sentence(report: Any) -> str:
    """`orders: version 12: 120 rows written, 3 deleted, 2 to quarantine, score 0.998, 4.2 s (shop__orders moved)`."""
    why = f" ({report.reason})" if report.reason else ""
    if report.state != "published":
        return f"{report.table}: {report.state}, version {report.version} stays{why}"
    said = [f"{report.rows_written:,} rows written"]
    said += [f"{report.rows_deleted:,} deleted"] if report.rows_deleted else []
    said += [f"{report.rows_quarantined:,} to quarantine"] if report.rows_quarantined else []
    said += [f"score {report.score:.4f}"] if report.score is not None else []
    return f"{report.table}: version {report.version}: {', '.join(said)}, {report.seconds:.1f} s{why}"


def event_of(report: Any) -> dict[str, Any]:
    """For the asset event and XCom: plain values only."""
    return {
        "state": report.state, "rows": report.rows_written, "deleted": report.rows_deleted,
        "quarantined": report.rows_quarantined, "score": report.score, "version": report.version,
        "id": getattr(report, "id", None), "seconds": round(report.seconds, 2), "reason": report.reason,
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
