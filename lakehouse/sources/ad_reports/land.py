"""Reports landed by the day, and again whenever a day's figures have changed.

Platforms credit conversions late: a day's figures move for `moves_days`. So a day is read first when it is over in every account's time
zone, then on a falling schedule (`schedule.py`). What is read is compared with what was landed: a day whose figures are as they were
is not landed again and costs nothing downstream; one that changed lands as a further object, `<prefix>/<day>.<time of reading>.jsonl.gz`,
whole. Objects are never replaced, so how a figure changed over time stays in bronze: each row carries `read_at`, and the newest reading of
a day counts.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lakehouse.errors import LakehouseError
from lakehouse.sources import batches
from lakehouse.sources.ad_reports.api import ATTEMPTS, Account, Api, Incomplete, ReportError
from lakehouse.sources.ad_reports.schedule import is_due, spans
from lakehouse.sources.batches import LandReport, Place, following

Clock = Callable[[], datetime]


def land(
    source: str, address: str, place: Place, prefix: str, *, api: str, accounts: Sequence[str], since: date, moves_days: int,
    clock: Clock = lambda: datetime.now(UTC),
) -> LandReport:  # fmt: skip
    """Read the days of `accounts` that are due, land those that changed; rows landed are counted by day."""
    began, now = time.monotonic(), clock()
    platform = _api(api)(source, address)
    known = [_known(platform, number) for number in accounts]
    here = [now.astimezone(ZoneInfo(account.zone)) for account in known]
    today = min(moment.date() for moment in here)
    last = batches.newest(source, place) or {}
    days: dict[str, list[str]] = dict(last.get("days", {}))
    due = [day for day in _days(since, today) if is_due(day, _read_on(days, day), today, moves_days)]
    rows: dict[str, int] = {}
    for first, until in spans(due):
        found = _by_day(platform, known, first, until)
        for day in _days(first, until + timedelta(days=1)):
            lines = sorted(json.dumps(row, sort_keys=True, ensure_ascii=False) for row in found.get(day.isoformat(), []))
            digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]
            if digest != (days.get(day.isoformat()) or ["", ""])[1]:
                stamp = now.strftime("%Y%m%dT%H%M%SZ")
                read_at = f', "read_at": "{now.isoformat(timespec="seconds")}"}}'
                body = "".join(f"{line[:-1]}{read_at}\n" for line in lines).encode()
                place.put(f"{prefix}/{day}.{stamp}.jsonl.gz", gzip.compress(body, 6, mtime=0))
                rows[day.isoformat()] = len(lines)
            days[day.isoformat()] = [today.isoformat(), digest]
    reached = min(datetime.combine(m.date(), datetime.min.time(), m.tzinfo) for m in here).astimezone(UTC).isoformat()
    if due or not last:
        batch = following(last.get("batch"))
        batches.commit(place, source, batch, {"source": source, "batch": batch, "watermark": reached, "days": days})
    else:
        batch, reached = last["batch"], last["watermark"]
    return LandReport(batch, rows, datetime.fromisoformat(reached), time.monotonic() - began)


def _api(name: str) -> type[Api]:
    from lakehouse.sources.ad_reports.google import GoogleAds
    from lakehouse.sources.ad_reports.meta import MetaAds

    known: dict[str, type[Api]] = {"google_ads": GoogleAds, "meta_ads": MetaAds}
    if name not in known:
        raise LakehouseError(f"api='{name}' is none. Valid: {', '.join(known)}; a new one is one file in lakehouse/sources/ad_reports/")
    return known[name]


def _known(platform: Api, number: str) -> Account:
    for _ in range(ATTEMPTS):
        try:
            return platform.account(number)
        except Incomplete as incomplete:
            problem = str(incomplete)
    raise ReportError(f"{platform.source}: account {number}: {problem}, {ATTEMPTS} times. Run it again")


def _by_day(platform: Api, accounts: Sequence[Account], first: date, until: date) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for account in accounts:
        for row in platform.rows(account.number, first, until):
            found.setdefault(str(row["date"]), []).append(row)
    return found


def _days(first: date, end: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((end - first).days)]


def _read_on(days: dict[str, list[str]], day: date) -> date | None:
    read = days.get(day.isoformat())
    return date.fromisoformat(read[0]) if read else None
