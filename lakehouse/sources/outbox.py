"""Change rows of a Postgres source, read from its `outbox` table and landed batch by batch.

The source writes a row into `outbox` in the transaction of each change: `sequence` (bigserial), `xid` (xid8, default
`pg_current_xact_id()`), `operation` ("upsert" or "delete"), `table_name`, `row` (jsonb) and `at`.

**Why not simply "sequence greater than the last one".** Sequence numbers are drawn when a row is written, but become visible
when its transaction commits. A long transaction that drew 5 may commit after a short one that drew 9: a reader that
noted 9 never sees 5. Transactions themselves have no such gap: at any moment Postgres knows which are finished, and calls
that a snapshot. So each batch notes the snapshot it read under, and the next one takes exactly the rows whose transaction
that snapshot did not see: none is missed, none is taken twice, whatever commits late. Rows of transactions below the noted
snapshot's xmin need not even be looked at.

**The watermark** says up to which moment everything has landed. A source may promise it through a function `outbox_clock()`
(the simulated company does, for its time is not ours), or the caller through `clock`. Else it is the clock, and right after it
a transaction number is drawn: whoever has a higher one writes its rows later than that clock. Those with a lower one may
still be open with rows written earlier, so the clock only counts once a snapshot sees all of them finished; until then it is
kept in `marks`. (The snapshot's own xmax will not do: it lies above the finished transactions, not above the begun ones.)

**A batch** (`batches.py`) is one read of all tables in one snapshot, so an order and its lines land together. One reader at a time
holds an advisory lock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakehouseError
from lakehouse.sources import batches
from lakehouse.sources.batches import BatchTaken, LandReport, Place, Spool, following

if TYPE_CHECKING:
    import psycopg
    from mypy_boto3_s3 import S3Client

    Connection = psycopg.Connection[Any]

Clock = Callable[[], datetime]
ROWS_AT_ONCE = 2_000
WAIT_FOR_LOCK = "60s"
NOTHING_SEEN = "1:1:"

READ = """
SELECT table_name, format('{"sequence": %%s, "operation": "%%s", "at": %%s, "row": %%s}', sequence, operation, to_jsonb(at), row)
FROM outbox
WHERE xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, %(seen)s::pg_snapshot)
ORDER BY sequence
"""


class OutboxError(LakehouseError):
    """An outbox could not be read."""


@dataclass(frozen=True)
class Manifest:
    """The last word on a batch: an object without it does not count."""

    source: str
    batch: str
    snapshot: str
    watermark: str | None
    marks: list[tuple[int, str]] = field(default_factory=list)
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def until(self) -> datetime | None:
        """The watermark as a moment."""
        return datetime.fromisoformat(self.watermark) if self.watermark else None


def land(source: str, dsn: str, s3: S3Client, bucket: str, clock: Clock | None = None, root: str = "") -> LandReport:
    """Land what the outbox of `source` holds and was not landed yet, as one batch; its keys begin with `root`."""
    began, place = time.monotonic(), Place(s3, bucket, root)
    with _connected(source, dsn) as connection:
        last = _newest(source, place)
        keeps_time = clock is None and _one(connection, "SELECT to_regprocedure('outbox_clock()') IS NOT NULL") is True
        before = clock() if clock else _one(connection, "SELECT clock_timestamp()")
        drawn = 0 if clock or keeps_time else int(_one(connection, "SELECT pg_current_xact_id()::text"))
        with _snapshot(connection, source, last) as snapshot, Spool(source) as spool:
            now = _one(connection, "SELECT outbox_clock()") if keeps_time else before
            watermark, marks = _watermark(last, snapshot, now, drawn)
            batch = following(last.batch if last else None)
            _fill(spool, connection, last.snapshot if last else NOTHING_SEEN)
            if last and not spool.counts and watermark == last.watermark:
                return LandReport(last.batch, {}, last.until, time.monotonic() - began)
            manifest = Manifest(source, batch, snapshot, watermark, marks, spool.upload(place, batch))
        try:
            batches.commit(place, source, batch, manifest.__dict__)
        except BatchTaken as taken:
            raise OutboxError(str(taken)) from None
    return LandReport(batch, spool.counts, manifest.until, time.monotonic() - began)


@contextmanager
def _connected(source: str, dsn: str) -> Iterator[Connection]:
    import psycopg

    try:
        with psycopg.connect(dsn, autocommit=True, options="-c timezone=UTC") as connection:
            connection.execute(f"SET lock_timeout = '{WAIT_FOR_LOCK}'")
            connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"outbox of {source}"])
            yield connection
    except psycopg.errors.LockNotAvailable:
        raise OutboxError(
            f"{source}: another reader has held its outbox for {WAIT_FOR_LOCK}. Wait for it, or end it: "
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
        ) from None
    except psycopg.errors.UndefinedTable as missing:
        raise OutboxError(
            f"{source}: its database has no table as the outbox needs ({missing.diag.message_primary}). Valid: outbox (sequence bigserial, "
            "xid xid8 DEFAULT pg_current_xact_id(), operation text, table_name text, row jsonb, at timestamptz)"
        ) from None
    except psycopg.OperationalError as down:
        raise OutboxError(f"{source}: its database does not answer ({str(down).strip()}). Check LAKEHOUSE_{source.upper()}_URL") from None


@contextmanager
def _snapshot(connection: Connection, source: str, last: Manifest | None) -> Iterator[str]:
    """A transaction in which everything is read as of one moment; gives that moment's snapshot."""
    import psycopg

    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    with connection.transaction():
        snapshot = str(_one(connection, "SELECT pg_current_snapshot()::text"))
        if last and _xmax(snapshot) < _xmax(last.snapshot):
            raise OutboxError(
                f"{source}: batch {last.batch} was read under snapshot {last.snapshot}, the database is now at {snapshot}: it was restored "
                f"or replaced. Land it under another source name, or remove {source}/ from landing and rebuild its bronze tables"
            )
        yield snapshot


def _one(connection: Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def _xmin(snapshot: str) -> int:
    return int(snapshot.split(":")[0])


def _xmax(snapshot: str) -> int:
    return int(snapshot.split(":")[1])


def _watermark(last: Manifest | None, snapshot: str, now: datetime | None, drawn: int) -> tuple[str | None, list[tuple[int, str]]]:
    """The watermark after this read, and the clocks that still wait for open transactions."""
    marks = list(last.marks) if last else []
    if now is not None:
        marks.append((drawn, now.astimezone(UTC).isoformat()))
    before = [last.watermark] if last and last.watermark else []
    done = [at for number, at in marks if number < _xmin(snapshot)]
    reached = max((*before, *done), key=datetime.fromisoformat, default=None)
    return reached, [(number, at) for number, at in marks if number >= _xmin(snapshot)]


def _fill(spool: Spool, connection: Connection, seen: str) -> None:
    """Write the new rows to one file a table, holding few of them in memory at a time."""
    with connection.cursor("outbox") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(READ, {"seen": seen})
        for table, line in cursor:
            spool.write(table, line)


def _newest(source: str, place: Place) -> Manifest | None:
    stored = batches.newest(source, place)
    return Manifest(**stored | {"marks": [(xmax, at) for xmax, at in stored["marks"]]}) if stored else None
