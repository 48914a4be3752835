"""Changes of a Postgres source, read from its log and landed batch by batch in the order of their transactions.

**Nothing missed, nothing twice.** A slot is made together with a snapshot: the snapshot holds every transaction committed before a
position of the log, the slot sends every one committed from it on. So the first batch is all rows of that snapshot, and the
following ones are whole transactions in the order of their commits. A batch's manifest holds the position behind its last
transaction; only once the manifest is there is the position confirmed to the server. A reader killed anywhere goes on at
the manifest's position, and so does a server that forgot the confirmation.

**The order.** Changes are numbered as they are read, and the manifest keeps the last number: transactions come in the order in which they
were committed, each whole, so a higher number is later. (Positions in the log would not do: a transaction that began earlier and
committed later lies below.)

**How far to read.** A run writes a note into the log and reads until it comes back: everything committed before it has landed.
The note also moves the slot of a quiet database on.

**Changes the log is silent about.** A column added with a default, a type changed, a table rewritten or taken into the publication: no
row is named in the log. So the manifest keeps each table's shape by the catalog; a table whose shape has changed is read again as of a
moment of the log, behind the changes before that moment and ahead of those after it. A truncated table gives one deletion a row that
was there by what has landed.

**The server's disk.** A slot keeps log until it is read. Each report says how much, and warns where nothing bounds it;
`max_slot_wal_keep_size` does. A slot lost so is noticed: all tables are read again, and what is gone from them is deleted.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lakehouse.sources import batches
from lakehouse.sources.batches import LandReport, Place, Spool, following
from lakehouse.sources.capture import pgoutput
from lakehouse.sources.capture.live import LiveRows, landed
from lakehouse.sources.capture.slot import SESSION, CaptureError, Replication, drop_slots, lag, lsn, replication, slot_of
from lakehouse.sources.capture.tables import Published, current, moment, published, rows
from lakehouse.sources.capture.values import row_of

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[Any]

BATCH_BYTES = 256 << 20
"""Size (unpacked) at which a batch ends, with the transaction it is in."""
COMMITTING = timedelta(seconds=1)
"""A transaction takes its time stamp a moment before its commit is in the log."""
MUCH = 1 << 30


def land(source: str, dsn: str, place: Place, publication: str = "lakehouse", *, batch_bytes: int = BATCH_BYTES) -> LandReport:
    """Land what was committed since the last time, as one batch or several."""
    with _connected(source, dsn) as connection:
        return _Run(source, dsn, place, publication, batch_bytes, connection).go()


@contextmanager
def _connected(source: str, dsn: str) -> Iterator[Connection]:
    import psycopg

    try:
        with psycopg.connect(dsn, autocommit=True, options=f"{SESSION} -c lock_timeout=60s") as connection:
            connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"capture of {source}"])
            yield connection
    except psycopg.errors.LockNotAvailable as held:
        raise CaptureError(
            f"{source}: waited 60 s in vain ({held.diag.message_primary}): another reader, or a long transaction that changes a captured "
            "table. See pg_stat_activity and pg_locks, or wait for it"
        ) from None
    except psycopg.OperationalError as down:
        raise CaptureError(f"{source}: its database does not answer ({str(down).strip()}). Check LAKEHOUSE_{source.upper()}_URL") from down


class _Run:
    """One landing: where it began, how far it came."""

    def __init__(self, source: str, dsn: str, place: Place, publication: str, batch_bytes: int, connection: Connection) -> None:
        self.source, self.dsn, self.place, self.publication = source, dsn, place, publication
        self.batch_bytes, self.connection = batch_bytes, connection
        self.began = time.monotonic()
        self.last = batches.newest(source, place) or {}
        self.batch: str = self.last.get("batch", "")
        self.sequence: int = self.last.get("sequence", 0)
        self.position: int = self.last.get("position", 0)
        self.generation: int = self.last.get("slot", 0)
        self.shapes: dict[str, str] = dict(self.last.get("tables", {}))
        self.rows: dict[str, int] = {}
        self.warnings: list[str] = []

    def go(self) -> LandReport:
        """Begin with all rows, or go on from the last position; then read again what changed its shape."""
        self.until = self._complete_to()
        tables = published(self.connection, self.source, self.publication)
        if self._can_go_on():
            changed = {n: t for n, t in tables.items() if t.shape != self.shapes.get(n)}
            self._follow(tables, is_last=not changed)
            if changed:
                self._read_again(changed)
        else:
            self._read_all(tables)
        self._watch()
        reached = self.last.get("watermark")
        mark = datetime.fromisoformat(reached) if reached else None
        return LandReport(self.batch, self.rows, mark, time.monotonic() - self.began, tuple(self.warnings))

    def _complete_to(self) -> str:
        """What is complete once this run is done: the source's own promise, else all that was committed until now."""
        one = self.connection.execute
        if one("SELECT to_regprocedure('outbox_clock()') IS NOT NULL").fetchone() == (True,):
            promised = one("SELECT outbox_clock()").fetchone()
            if promised and promised[0]:
                return str(promised[0].astimezone(UTC).isoformat())
        now: Any = one("SELECT clock_timestamp()").fetchone()
        return str((now[0] - COMMITTING).astimezone(UTC).isoformat())

    def _can_go_on(self) -> bool:
        slot = lag(self.connection, self.source).get(self.slot)
        here: Any = self.connection.execute("SELECT pg_current_wal_lsn()::text").fetchone()
        if not self.batch:
            return False
        lost = "its slot is gone" if slot is None else "its server threw the log away" if slot[0] == "lost" else ""
        lost = lost or ("its database was restored or replaced" if lsn(here[0]) < self.position else "")
        if lost:
            self.warnings.append(f"{self.source}: {lost}, so all tables were read again. Changes since batch {self.batch} came as one")
        return not lost

    @property
    def slot(self) -> str:
        """The slot this run reads through."""
        return slot_of(self.connection, self.source, self.generation)

    def _watch(self) -> None:
        slot = lag(self.connection, self.source).get(self.slot)
        bound: Any = self.connection.execute("SELECT setting::bigint FROM pg_settings WHERE name = 'max_slot_wal_keep_size'").fetchone()
        if bound[0] < 0:
            self.warnings.append(
                f"{self.source}: nothing bounds the log its server keeps while nobody reads it. Set max_slot_wal_keep_size there"
            )
        if slot and slot[1] > MUCH:
            self.warnings.append(f"{self.source}: its server keeps {slot[1] / MUCH:.1f} GB of log; a long transaction may hold it")

    # all rows ---------------------------------------------------------------------------------------------------

    def _read_all(self, tables: Mapping[str, Published]) -> None:
        drop_slots(self.connection, self.source)
        self.generation += 1
        with moment(self.source, self.dsn, tables, self.slot) as (reader, position), Spool(self.source) as spool:
            tables = published(reader, self.source, self.publication)
            for table in tables.values():
                self._all_rows(spool, reader, table, replaces=bool(self.batch))
            self.position, self.shapes = position, {n: t.shape for n, t in tables.items()}
            self._commit(spool, is_last=True)

    def _read_again(self, changed: Mapping[str, Published]) -> None:
        again = moment(self.source, self.dsn, changed, f"{self.slot}_again", temporary=True)
        with again as (reader, position), Spool(self.source) as spool:
            seen = published(reader, self.source, self.publication)
            self._follow(seen, spool, before=position)
            for table in (t for n, t in seen.items() if n in changed):
                self._all_rows(spool, reader, table, replaces=False)
                self.shapes[table.name] = table.shape
            self._commit(spool, is_last=True)

    def _all_rows(self, spool: Spool, reader: Connection, table: Published, *, replaces: bool) -> None:
        """Every row as an upsert; with `replaces` those that have landed and are gone as deletions."""
        at = datetime.now(UTC).isoformat()
        if replaces:
            with LiveRows(table.key) as live:
                live.replay(landed(self.place, self.source, table.name, self.batch, spool))
                for values in rows(reader, table):
                    live.replay([f'{{"operation": "delete", "row": {row_of(table.columns, table.types, values)}}}'.encode()])
                for row in live:
                    self._write(spool, table.name, "delete", at, row)
        for values in rows(reader, table):
            self._write(spool, table.name, "upsert", at, row_of(table.columns, table.types, values))

    # the log ----------------------------------------------------------------------------------------------------

    def _follow(self, tables: Mapping[str, Published], spool: Spool | None = None, before: int = 0, *, is_last: bool = False) -> None:
        """Read the log up to a note written now, or with `before` what was committed before that position, into `spool`."""
        note = uuid.uuid4().hex.encode()
        self.connection.execute("SELECT pg_logical_emit_message(true, 'lakehouse', %s::text)", [note.decode()])
        with replication(self.source, self.dsn) as stream:
            stream.start(self.slot, self.publication, self.position)
            if spool is not None:
                for _ in self._transactions(stream, tables, spool, note, before):
                    pass
                self.position = max(self.position, before)
                return
            done = False
            while not done:
                with Spool(self.source) as own:
                    for done in self._transactions(stream, tables, own, note, 0):
                        if done or own.size > self.batch_bytes:
                            break
                    stream.alive()
                    self._commit(own, is_last=done and is_last)
                    stream.confirm(self.position)

    def _transactions(self, stream: Replication, tables: Mapping[str, Published], spool: Spool, note: bytes, before: int) -> Iterator[bool]:
        """Write transactions to the spool; after each, says whether the note was in it."""
        found, at, skip = False, "", False
        for message in stream.messages():
            match message:
                case pgoutput.Begin(commit, moment_):
                    if before and commit >= before:
                        return
                    at, skip = moment_.isoformat(), commit < self.position
                case pgoutput.Commit(end):
                    self.position = max(end, self.position)
                    yield found
                case pgoutput.Note("lakehouse", content):
                    found = found or content == note
                case pgoutput.Relation():
                    stream.relations[message.oid] = message
                case pgoutput.Truncate(oids) if not skip:
                    for oid in oids:
                        self._emptied(spool, tables, stream.relations[oid].table, at)
                case pgoutput.Insert() | pgoutput.Update() | pgoutput.Delete() if not skip:
                    self._change(spool, tables, stream.relations[message.oid], message, at)

    def _change(
        self, spool: Spool, tables: Mapping[str, Published], relation: pgoutput.Relation,
        change: pgoutput.Insert | pgoutput.Update | pgoutput.Delete, at: str,
    ) -> None:  # fmt: skip
        known = tables.get(relation.table)
        key = known.key if known and set(known.key) <= set(relation.columns) else ()
        places = [i for i, name in enumerate(relation.columns) if name in key] if key else [*range(len(relation.columns))]

        def only_key(values: pgoutput.Values) -> str:
            return row_of([relation.columns[i] for i in places], [relation.types[i] for i in places], [values[i] for i in places])

        if isinstance(change, pgoutput.Delete):
            self._write(spool, relation.table, "delete", at, only_key(change.old))
            return
        new = change.new
        if isinstance(change, pgoutput.Update):
            new = self._whole(known, relation, change)
            if change.old is not None and [change.old[i] for i in places] != [new[i] for i in places]:
                self._write(spool, relation.table, "delete", at, only_key(change.old))
        self._write(spool, relation.table, "upsert", at, row_of(relation.columns, relation.types, new))

    def _whole(self, table: Published | None, relation: pgoutput.Relation, change: pgoutput.Update) -> pgoutput.Values:
        """The new row, with large values that did not change taken from the old one, or else from the table as it is now.

        A later value in their place is harmless: whatever changed it comes later in the log.
        """
        missing = [i for i, value in enumerate(change.new) if value is pgoutput.UNCHANGED]
        if not missing:
            return change.new
        values = list(change.new)
        if change.old is not None and all(relation.identity):
            for i in missing:
                values[i] = change.old[i]
        elif table is not None:
            there = [i for i in missing if relation.columns[i] in table.columns]
            key = [values[relation.columns.index(name)] for name in table.key]
            found = current(self.connection, table, [relation.columns[i] for i in there], key) if there else []
            for i, value in zip(there, found, strict=True):
                values[i] = value
        return tuple(None if value is pgoutput.UNCHANGED else value for value in values)

    def _emptied(self, spool: Spool, tables: Mapping[str, Published], table: str, at: str) -> None:
        with LiveRows(tables[table].key if table in tables else ()) as live:
            live.replay(landed(self.place, self.source, table, self.batch, spool))
            for row in live:
                self._write(spool, table, "delete", at, row)

    # batches ----------------------------------------------------------------------------------------------------

    def _write(self, spool: Spool, table: str, operation: str, at: str, row: str) -> None:
        self.sequence += 1
        spool.write(table, f'{{"sequence": {self.sequence}, "operation": "{operation}", "at": "{at}", "row": {row}}}')

    def _commit(self, spool: Spool, *, is_last: bool) -> None:
        reached = self.last.get("watermark")
        if is_last:
            reached = max(filter(None, (reached, self.until)), key=datetime.fromisoformat)
        is_new = spool.counts or not self.batch or reached != self.last.get("watermark") or self.shapes != self.last["tables"]
        if not is_new:
            return
        batch = following(self.batch)
        manifest = {
            "source": self.source, "batch": batch, "position": self.position, "sequence": self.sequence, "watermark": reached,
            "slot": self.generation, "tables": self.shapes, "objects": spool.upload(self.place, batch),
        }  # fmt: skip
        batches.commit(self.place, self.source, batch, manifest)
        self.batch, self.last = batch, manifest
        for table, count in spool.counts.items():
            self.rows[table] = self.rows.get(table, 0) + count
