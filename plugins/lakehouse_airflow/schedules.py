"""When DAGs run, and the partition key that says which hour or day a run is for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import CronPartitionTimetable

from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from airflow.sdk import Context


def every_hour(minute: int) -> CronPartitionTimetable:
    """Each hour at `minute`, for the hour that is over: key `2026-11-21T13`."""
    return CronPartitionTimetable(f"{minute} * * * *", timezone="UTC", run_offset=-1, key_format="%Y-%m-%dT%H")


def every_day(at: str) -> CronPartitionTimetable:
    """Each day at `HH:MM` UTC, for the day that is over: key `2026-11-21`."""
    hour, minute = at.split(":")
    return CronPartitionTimetable(
        f"{int(minute)} {int(hour)} * * *", timezone="UTC", run_offset=-1, key_format="%Y-%m-%d"
    )


def every_week(weekday: int, at: str) -> CronPartitionTimetable:
    """Each week on `weekday` (cron's: 0 is Sunday) at `HH:MM` UTC; the key is the day of the run."""
    hour, minute = at.split(":")
    return CronPartitionTimetable(f"{int(minute)} {int(hour)} * * {weekday}", timezone="UTC", key_format="%Y-%m-%d")


def day_of(context: Context | dict[str, Any]) -> date:
    """The day a run is for: its partition key's, or without one the last day that was over when it was asked for."""
    key = context.get("partition_key")
    if key is None:
        asked = context["dag_run"].run_after
        return (asked.astimezone(UTC) - timedelta(days=1)).date()
    try:
        return date.fromisoformat(str(key)[:10])
    except ValueError:
        raise LakehouseError(
            f"partition key '{key}' names no day. Valid: a day as 2026-11-21, or an hour as 2026-11-21T13. "
            "Trigger the run again with such a key."
        ) from None


def end_of(day: date) -> datetime:
    """The moment a day is over, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
