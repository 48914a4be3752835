"""Virtual tables in a run: all of one database read at one moment, which the run's commit records as the input's version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.declare.tables import Table
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from lakehouse.run.state import Version
from lakehouse.settings import FILE, source_address

if TYPE_CHECKING:
    from pydantic import SecretStr
    from pyspark.sql import DataFrame, SparkSession

MICROSECONDS = 1_000_000


def version_at(table: Table, at: datetime) -> Version:
    """A virtual table's version: which question was asked, and when, in microseconds since 1970. No two reads are one version."""
    assert table.live is not None
    asked = "\n".join([table.live.source, table.live.sql, *(f"{c.name} {c.type} {c.received_as}" for c in table.columns)])
    return Version(f"live-{hashlib.sha256(asked.encode()).hexdigest()[:16]}", int(at.timestamp() * MICROSECONDS))


def moment_of(version: int) -> datetime:
    """When a virtual table was read, from the version that a run recorded."""
    return datetime.fromtimestamp(version / MICROSECONDS, UTC)


@dataclass(frozen=True)
class Reading:
    """A virtual table at one moment of its database."""

    table: Table
    address: SecretStr = field(repr=False)
    snapshot: str
    at: datetime

    @property
    def version(self) -> Version:
        """What the run's commit records."""
        return version_at(self.table, self.at)

    def frame(self, spark: SparkSession) -> DataFrame:
        """The rows of that moment, however often they are asked for; filters and columns go to the database."""
        from pyspark.sql import functions as F

        from lakehouse.sources.live_query import jdbc

        read = spark.read.format("jdbc").options(**jdbc(self.table, self.address, self.snapshot)).load()
        return read.select(*[F.col(f"`{c.received_as}`").alias(c.name) for c in self.table.columns])


def address_of(table: Table) -> SecretStr:
    """Where a virtual table's database is. Raises LakehouseError where nobody says."""
    assert table.live is not None
    address = source_address(table.live.source)
    if address is None:
        raise LakehouseError(
            f"{table.name}: the database '{table.live.source}' has no address. Set LAKEHOUSE_{table.live.source.upper()}_URL, in the "
            f"environment or in {FILE}."
        )
    return address


@contextmanager
def pinned(graph: Graph, names: Iterable[str]) -> Iterator[dict[str, Reading]]:
    """Readings of the virtual tables among `names`: those of one database at one moment, which its connection holds for the block."""
    from lakehouse.sources.live_query import check, connected, moment

    readings: dict[str, Reading] = {}
    virtual = [graph[n] for n in names if graph[n].live is not None]
    with ExitStack() as stack:
        moments = {}
        for table in virtual:
            assert table.live is not None
            if table.live.source not in moments:
                connection = stack.enter_context(connected(table, address_of(table)))
                moments[table.live.source] = (connection, *moment(connection))
            connection, snapshot, at = moments[table.live.source]
            check(table, connection)
            readings[table.name] = Reading(table, address_of(table), snapshot, at)
        yield readings


def ask(table: Table) -> datetime:
    """Ask the database whether it answers as the contract says; returns its time. This is all that a run of a virtual table does."""
    from lakehouse.sources.live_query import check, connected, moment

    with connected(table, address_of(table)) as connection:
        check(table, connection)
        return moment(connection)[1]
