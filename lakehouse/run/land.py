"""Landing: fetch what a source has, and say up to when each source is complete."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from lakehouse import storage
from lakehouse.declare.sources import AdReports, ChangeCapture, CursorQuery, Lander, Source
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from lakehouse.graph.suggest import did_you_mean
from lakehouse.settings import FILE, settings, source_address


def land(graph: Graph, name: str) -> Any:
    """Fetch the changes of the source `name` into landing, once; returns the connector's report."""
    landers = graph.landers()
    if name not in landers:
        raise LakehouseError(f"'{name}' is no source that is fetched.{did_you_mean(name, landers)}")
    from lakehouse.run.lock import one_writer

    with one_writer(f"landing {name}"):
        return _fetch(landers[name], [t.source.prefix for t in graph.tables.values() if t.source and t.source.lands == landers[name]])


def _fetch(lander: Lander, prefixes: list[str]) -> Any:
    from lakehouse.sources import ad_reports, capture, cursor_query, outbox
    from lakehouse.sources.batches import Place

    place, address = Place.here(), _address(lander.name)
    if isinstance(lander, AdReports):
        return ad_reports.land(
            lander.name, address, place, prefixes[0], api=lander.api or lander.name, accounts=lander.accounts,
            since=date.fromisoformat(lander.since), moves_days=lander.moves_days,
        )  # fmt: skip
    if isinstance(lander, ChangeCapture):
        return capture.land(lander.name, address, place, lander.publication)
    if isinstance(lander, CursorQuery):
        tables = [prefix.rsplit("/", 1)[1] for prefix in prefixes]
        return cursor_query.land(lander.name, address, place, tables, lander.cursor, timedelta(minutes=lander.overlap_minutes))
    return outbox.land(lander.name, address, place.s3, place.bucket, root=place.root)


def _address(name: str) -> str:
    address = source_address(name)
    if address is None:
        raise LakehouseError(f"the source '{name}' has no address. Set LAKEHOUSE_{name.upper()}_URL, in the environment or in {FILE}.")
    return address.get_secret_value()


def watermarks(graph: Graph) -> dict[str, str]:
    """Up to when each source's landed data is complete, ISO 8601; sources that make no such promise are left out.

    A source of several objects (an hourly or daily file each) is complete to where the one furthest behind is.
    """
    marks: dict[str, datetime] = {}
    for table in graph.tables.values():
        source = table.source
        if source is None:
            continue
        mark = _fetched(source) if source.lands else _named(source) if source.period else None
        if source.lands or source.period:
            least = datetime.min.replace(tzinfo=UTC)
            marks[source.name] = min(marks.get(source.name, mark or least), mark or least)
    return {name: mark.isoformat(timespec="seconds") for name, mark in marks.items() if mark.year > 1}


def _fetched(source: Source) -> datetime | None:
    from lakehouse.sources.batches import watermark

    return watermark(source.name)


def _named(source: Source) -> datetime | None:
    """The end of the newest hour or day that an object is named after."""
    listed = [o.uri.rsplit("/", 1)[1].split(".")[0] for o in storage.list_objects(f"{settings().landing}/{source.prefix}/")]
    if not listed:
        return None
    form, length = ("%Y-%m-%dT%H", timedelta(hours=1)) if source.period == "hour" else ("%Y-%m-%d", timedelta(days=1))
    try:
        return datetime.strptime(max(listed), form).replace(tzinfo=UTC) + length
    except ValueError:
        raise LakehouseError(
            f"an object of '{source.prefix}' is named '{max(listed)}'. Its source says period=\"{source.period}\", so names look like "
            f"'{datetime(2026, 11, 21, 13).strftime(form)}'. Rename the object, or drop period=."
        ) from None
