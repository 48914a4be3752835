"""The replication slot: where the server remembers what was taken, and the stream read through it."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakehouseError
from lakehouse.sources.capture.pgoutput import Message, Relation, decode

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[Any]

PATIENCE = 120.0
"""Seconds of silence after which the server is given up."""
SESSION = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c bytea_output=hex -c extra_float_digits=1"


class CaptureError(LakehouseError):
    """A source's log could not be read."""


def slot_of(connection: Connection, source: str, generation: int) -> str:
    """What a source's slot is called: names are the whole server's; a new one has a new number and is never taken for the one before."""
    row: Any = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    return f"lakehouse_{source}_{row[0]}_{generation}".lower()


def lag(connection: Connection, source: str) -> dict[str, tuple[str, int]]:
    """A source's slots: state ('reserved', 'extended', 'unreserved', 'lost') and the bytes of log its server keeps for each."""
    found = connection.execute(
        "SELECT slot_name, wal_status, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint "
        "FROM pg_replication_slots WHERE slot_name ~ %s AND NOT temporary",
        [f"^{slot_of(connection, source, 0)[:-1]}[0-9]+$"],
    )
    return {name: (str(status), int(kept)) for name, status, kept in found}


def drop_slots(connection: Connection, source: str) -> None:
    """Remove a source's slots, so that its server keeps no log for it; the next landing begins with all rows."""
    for name in lag(connection, source):
        until = time.monotonic() + 30
        while True:
            row = connection.execute("SELECT active_pid FROM pg_replication_slots WHERE slot_name = %s", [name]).fetchone()
            if row is None:
                break
            if row[0] is None:
                connection.execute("SELECT pg_drop_replication_slot(%s)", [name])
                break
            if time.monotonic() > until:
                raise CaptureError(_held(source, name, row[0]))
            time.sleep(0.2)


def _held(source: str, slot: str, pid: object) -> str:
    return f"{source}: another reader (process {pid} of its server) holds slot '{slot}'. End it: SELECT pg_terminate_backend({pid})"


class Replication:
    """A replication connection to one database."""

    def __init__(self, source: str, dsn: str) -> None:
        import psycopg2
        from psycopg2.extras import LogicalReplicationConnection

        self.source = source
        self.relations: dict[int, Relation] = {}
        """What each table looks like at this point of the stream."""
        try:
            options = f"{SESSION} -c lock_timeout=60s"
            self.connection = psycopg2.connect(dsn, connection_factory=LogicalReplicationConnection, options=options)
        except psycopg2.OperationalError as refused:
            raise CaptureError(
                f"{source}: no replication connection ({str(refused).strip()}). Its server must be up, with wal_level=logical, "
                "and the role needs the right: ALTER ROLE … REPLICATION"
            ) from refused
        self.cursor = self.connection.cursor()

    def close(self) -> None:
        """End the connection; a temporary slot goes with it."""
        self.connection.close()

    def create(self, name: str, *, temporary: bool = False) -> tuple[int, str]:
        """Make a slot; gives the position from which it sees every transaction, and the snapshot of all before it.

        The snapshot lasts until the next command on this connection.
        """
        kind = "TEMPORARY " if temporary else ""
        self.cursor.execute(f"CREATE_REPLICATION_SLOT \"{name}\" {kind}LOGICAL pgoutput (SNAPSHOT 'export')")
        _, position, snapshot, _ = self.cursor.fetchone()
        return lsn(position), snapshot

    def start(self, slot: str, publication: str, position: int) -> None:
        """Have the server send what was committed from `position` on."""
        import psycopg2

        until = time.monotonic() + 30
        options = {"proto_version": "1", "publication_names": f'"{publication}"', "messages": "true"}
        while True:
            try:
                self.cursor.start_replication(
                    slot_name=slot, start_lsn=position, options=options, decode=False, status_interval=5
                )
                return
            except psycopg2.errors.ObjectInUse as held:  # a killed reader's server process lives a little longer
                if time.monotonic() > until:
                    raise CaptureError(_held(self.source, slot, str(held).rsplit("PID", 1)[-1].strip().rstrip("."))) from None
                time.sleep(0.3)

    def messages(self) -> Iterator[Message]:
        """What the server sends, as it comes. Raises CaptureError after two minutes of silence."""
        heard = time.monotonic()
        while True:
            received = self.cursor.read_message()
            if received is not None:
                heard = time.monotonic()
                yield decode(received.payload)
            elif time.monotonic() - heard > PATIENCE:
                raise CaptureError(f"{self.source}: its server sent nothing for {PATIENCE:.0f} s. See its log")
            else:
                select.select([self.connection], [], [], 1.0)

    def alive(self) -> None:
        """Tell the server that the reader lives, while it does other things."""
        self.cursor.send_feedback(force=True)

    def confirm(self, position: int) -> None:
        """Let the server forget what comes before `position`."""
        self.cursor.send_feedback(write_lsn=position, flush_lsn=position, apply_lsn=position, force=True)


@contextmanager
def replication(source: str, dsn: str) -> Iterator[Replication]:
    """A replication connection for the length of a block; a lost one is told in words."""
    import psycopg2

    stream = Replication(source, dsn)
    try:
        yield stream
    except psycopg2.Error as lost:
        raise CaptureError(f"{source}: the replication connection broke ({str(lost).strip()}). The next run goes on from here") from lost
    finally:
        stream.close()


def lsn(text: str) -> int:
    """A position of the log, '16/B374D848', as a number."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)
