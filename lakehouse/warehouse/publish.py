"""Publish the star schema: load what changed, then show everything at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from lakehouse.warehouse.connection import Connection, WarehouseUnreachable, loader
from lakehouse.warehouse.lake import PinnedTable, Version
from lakehouse.warehouse.load import load
from lakehouse.warehouse.references import rows_without_counterpart
from lakehouse.warehouse.schema import ensure
from lakehouse.warehouse.shape import Reference, Shape, shape
from lakehouse.warehouse.sweep import sweep_old, sweep_staging
from lakehouse.warehouse.switch import Plan, Showing, switch

log = logging.getLogger(__name__)

TURN = 0x70756273
"""The advisory lock whose holder publishes."""


class PublicationRefused(LakehouseError):
    """The versions asked for must not be shown: incomplete, or older than what is shown."""


class AnotherPublishes(LakehouseError):
    """Another publication is under way."""


@dataclass(frozen=True)
class TablePublication:
    """What became of one table."""

    table: str
    version: int
    before: int | None
    """The version shown until now."""
    rows: int
    loaded: bool
    seconds: float


@dataclass(frozen=True)
class PublicationReport:
    """What one publication did."""

    run_id: str
    state: str
    """"published" or "up to date"."""
    publication: int | None
    tables: tuple[TablePublication, ...]
    references: tuple[tuple[Reference, int], ...]
    """Declared references between the tables, and how many rows have no counterpart."""
    removed: tuple[str, ...]
    dropped: tuple[str, ...]
    seconds: float

    @property
    def rows_loaded(self) -> int:
        """Rows that were copied into Postgres."""
        return sum(t.rows for t in self.tables if t.loaded)


@dataclass(frozen=True)
class _Shown:
    delta_id: str
    version: int
    data_table: str
    view_shape: str
    rows: int


def publish(
    graph: Graph,
    versions: Mapping[str, Version],
    run_id: str,
    *,
    allow_older: bool = False,
    wait: float = 600.0,
    patience: float = 900.0,
) -> PublicationReport:
    """Show the tables of the published layers at exactly these Delta versions; names of other layers are passed over.

    allow_older: show an older version than the one shown, knowingly.
    wait: seconds to wait for a publication under way. patience: seconds to wait for readers to let go of a view.
    """
    try:
        with loader() as connection:
            ensure(connection)
            with _turn(connection, wait):
                return _publish(connection, graph, versions, run_id, allow_older, patience)
    except psycopg.OperationalError as lost:
        if lost.sqlstate and not lost.sqlstate.startswith(("08", "57P")):  # neither the connection nor the server ended
            raise
        raise WarehouseUnreachable(
            f"the warehouse went away during the publication: {str(lost).strip()}\n  Readers see the old set whole, or the new one. "
            "Publish again: what is missing is done, what is not is left."
        ) from lost


def _publish(
    connection: Connection, graph: Graph, versions: Mapping[str, Version], run_id: str, allow_older: bool, patience: float
) -> PublicationReport:
    began, started_at = time.monotonic(), datetime.now(UTC)
    sweep_staging(connection)
    shown = _shown(connection)
    shapes = {name: shape(graph, graph[name]) for name in graph.published() if name in versions}
    _refuse(graph, versions, shapes, shown, allow_older)
    tables, showing = [], []
    for name, wanted in shapes.items():
        began_table = time.monotonic()
        each = _data(connection, wanted, versions[name])
        before = shown[name].version if name in shown else None
        showing.append(each)
        tables.append(TablePublication(name, each.delta_version, before, each.rows, each.loaded, time.monotonic() - began_table))
        log.info("%s version %s: %s rows%s", name, each.delta_version, each.rows, " loaded" * each.loaded)
    views = [s for s in showing if _differs(s, shown.get(s.shape.table))]
    removed = sorted(set(shown) - set(graph.published()))
    number, references = None, rows_without_counterpart(connection, showing) if views else ()
    if views or removed:
        number = switch(connection, Plan(run_id, started_at, showing, views, removed, references), patience)
    dropped = sweep_old(connection)
    return PublicationReport(
        run_id, "published" if number else "up to date", number, tuple(tables), references, tuple(removed), tuple(dropped),
        time.monotonic() - began,
    )  # fmt: skip


@contextmanager
def _turn(connection: Connection, wait: float) -> Iterator[None]:
    deadline = time.monotonic() + wait
    while not _true(connection, "SELECT pg_try_advisory_lock(%s)"):
        if time.monotonic() > deadline:
            holder = connection.execute(
                """SELECT pid, usename, extract(epoch FROM clock_timestamp() - backend_start)::int FROM pg_stat_activity
                   JOIN pg_locks USING (pid) WHERE locktype = 'advisory' AND objid = %s AND granted""",
                [TURN],
            ).fetchone()
            by = f"pid {holder[0]} of {holder[1]}, since {holder[2]} s" if holder else "it has just ended"
            raise AnotherPublishes(
                f"another publication is under way ({by}) and did not end within {wait:.0f} s. Publish again when it has."
            )
        time.sleep(0.2)
    try:
        yield
    finally:
        if not connection.closed:
            _true(connection, "SELECT pg_advisory_unlock(%s)")


def _true(connection: Connection, question: str) -> bool:
    return connection.execute(question, [TURN]).fetchone() == (True,)


def _shown(connection: Connection) -> dict[str, _Shown]:
    rows = connection.execute(
        "SELECT table_name, delta_id, delta_version, data_table, view_shape, rows FROM ops.shown"
    ).fetchall()
    return {row[0]: _Shown(*row[1:]) for row in rows}


def _refuse(
    graph: Graph,
    versions: Mapping[str, Version],
    shapes: Mapping[str, Shape],
    shown: Mapping[str, _Shown],
    allow_older: bool,
) -> None:
    if not shapes:
        raise PublicationRefused(
            f"none of the versions given is of a published table. Given: {', '.join(sorted(versions)) or 'nothing'}; "
            f"published are: {', '.join(graph.published()) or 'none'}."
        )
    missing = sorted(name for name in shown if name in graph.published() and name not in shapes)
    if missing:
        raise PublicationRefused(
            f"the cut has no version of {', '.join(missing)}, which the warehouse shows. Left at the old version, these would "
            "not belong together with the others. Publish a cut with all tables, or delete the file of a table that shall go."
        )
    older = [
        f"{name}: shown {shown[name].version}, asked for {versions[name].version}"
        for name in shapes
        if name in shown
        and shown[name].delta_id == versions[name].id
        and versions[name].version < shown[name].version
    ]
    if older and not allow_older:
        raise PublicationRefused(
            f"the cut is older than what the warehouse shows ({'; '.join(older)}). Publish a newer one, or say that going back "
            "is meant (allow_older)."
        )


def _data(connection: Connection, wanted: Shape, version: Version) -> Showing:
    """The data table of this version: one that is there, or a new one in `staging`."""
    there = connection.execute(
        "SELECT data_table, rows FROM ops.data_tables"
        " WHERE table_name = %s AND delta_id = %s AND delta_version = %s AND shape = %s",
        [wanted.table, version.id, version.version, wanted.data],
    ).fetchone()
    if there:
        return Showing(wanted, version.id, version.version, there[0], there[1], loaded=False)
    loaded = load(connection, PinnedTable(wanted, version), _free_name(connection, wanted.table, version.version))
    return Showing(wanted, version.id, version.version, loaded.data_table, loaded.rows, loaded=True)


def _free_name(connection: Connection, table: str, version: int) -> str:
    """`<table>__<version>`; a table made anew, or with other columns, may have had that version before."""
    plain = f"{table}__{version}"
    taken = {
        row[0]
        for row in connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace IN ('marts_data'::regnamespace, 'staging'::regnamespace)"
        ).fetchall()
    }
    names = [plain, *(f"{plain}_{n}" for n in range(2, 100))]
    return next(name for name in names if name not in taken)


def _differs(wanted: Showing, shown: _Shown | None) -> bool:
    return shown is None or (shown.data_table, shown.view_shape) != (wanted.data_table, wanted.shape.view)
