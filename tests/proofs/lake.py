"""A private lake for a proof: its own prefix in the stack's store, run step by step, read without Spark, copied, dropped."""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import date
from graphlib import TopologicalSorter
from typing import Any

from lakehouse import storage
from lakehouse.declare.sources import ChangeRows
from lakehouse.declare.tables import Table
from lakehouse.delta.location import quarantine_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.delta.session import open_session
from lakehouse.graph import Graph
from lakehouse.run import Report, run_table
from lakehouse.settings import settings

QUARANTINE = ("row_key", "reason", "row", "source_file", "line")


class Lake:
    """Tables of one graph under `s3a://lake/_proofs/<name>`, with landed objects under the same name."""

    def __init__(self, graph: Graph, landing: str = "") -> None:
        self.graph = graph
        self.name = f"_proofs/{uuid.uuid4().hex[:8]}"
        self.landing_name = landing or self.name

    @contextmanager
    def use(self) -> Iterator[Lake]:
        """Settings that point here."""
        wanted = {"LAKEHOUSE_LAKE": f"s3a://lake/{self.name}", "LAKEHOUSE_LANDING": f"s3://landing/{self.landing_name}"}
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        settings.cache_clear()
        try:
            yield self
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name)
                else:
                    os.environ[name] = value
            settings.cache_clear()

    # running ----------------------------------------------------------------------------------------------------

    def run(self, names: Iterable[str] | None = None, *, days: tuple[date, ...] = (), workers: int = 2) -> list[Report]:
        """Run tables, each after those it reads; one as of a day for each of `days`."""
        wanted = set(self.graph.order(names))
        sorter = TopologicalSorter({n: [u for u in self.graph.upstream(n) if u in wanted] for n in sorted(wanted)})
        sorter.prepare()
        reports: list[Report] = []
        with self.use(), ThreadPoolExecutor(workers) as pool:
            going: dict[Any, str] = {}
            while sorter.is_active():
                going |= {pool.submit(self._run_one, name, days): name for name in sorter.get_ready()}
                for done in wait(going, return_when=FIRST_COMPLETED).done:
                    reports += done.result()
                    sorter.done(going.pop(done))
        return reports

    def _run_one(self, name: str, days: tuple[date, ...]) -> list[Report]:
        if self.graph[name].kind == "model":
            return []
        wanted: tuple[date | None, ...] = days if self.graph[name].as_of else (None,)
        return [run_table(self.graph, name, as_of=day, record=False) for day in wanted]

    def sql(self, *statements: str) -> None:
        """Statements on the lake's tables, as somebody with a Spark session would give them."""
        with self.use(), open_session() as spark:
            spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
            for statement in statements:
                spark.sql(statement).collect()

    def address(self, name: str) -> str:
        """How SQL names a table: delta.`s3a://…`."""
        with self.use():
            return f"delta.`{table_uri(self.graph[name])}`"

    def log(self, name: str) -> DeltaLog:
        """A table's log, read now."""
        with self.use():
            return DeltaLog(table_uri(self.graph[name]))

    # reading ----------------------------------------------------------------------------------------------------

    def rows(self, name: str) -> Counter[tuple[Any, ...]]:
        """What a reader sees of a table: its rows, each with how often it is there."""
        with self.use():
            return self.rows_at(table_uri(self.graph[name]), name)

    def rows_at(self, uri: str, name: str) -> Counter[tuple[Any, ...]]:
        """The same at an address, whatever the settings are."""
        table = self.graph[name]
        return read(uri, seen_columns(table), "_deleted" if table.deleted_when else "")

    def held_back(self, name: str) -> Counter[tuple[Any, ...]]:
        """What lies in a table's quarantine."""
        with self.use():
            return read(quarantine_uri(name), QUARANTINE)

    def content(self, names: Iterable[str] | None = None) -> dict[str, Counter[tuple[Any, ...]]]:
        """Rows and quarantine of tables, by name; a quarantine is called `quarantine of …`."""
        found = {}
        for name in self.graph.order(names):
            if self.graph[name].kind == "table":
                found[name], found[f"quarantine of {name}"] = self.rows(name), self.held_back(name)
        return found

    # copies -----------------------------------------------------------------------------------------------------

    def copy(self, names: Iterable[str] | None = None) -> Lake:
        """Another lake, over the same landing, that holds the same tables in the same state."""
        other = Lake(self.graph, self.landing_name)
        for name in self.graph.order(names):
            other.take(self, name)
        return other

    def take(self, other: Lake, name: str) -> None:
        """Put another lake's table, quarantine and ledger in the place of this one's."""
        for place in (f"{self.graph[name].layer}/{name}/", f"quarantine/{name}/", f"_ledger/{name}"):
            storage.delete_prefix(f"s3a://lake/{self.name}/{place}")
            for found in storage.list_objects(f"s3a://lake/{other.name}/{place}"):
                bucket, key = storage.split(found.uri)
                storage.client().copy_object(
                    Bucket=bucket, CopySource={"Bucket": bucket, "Key": key}, Key=key.replace(other.name, self.name, 1)
                )

    def drop(self) -> None:
        """Remove the lake, and its landing where it is its own."""
        storage.delete_prefix(f"s3a://lake/{self.name}/")
        if self.landing_name == self.name:
            storage.delete_prefix(f"s3://landing/{self.name}/")


def seen_columns(table: Table) -> tuple[str, ...]:
    """The columns a proof compares: those declared, and of bronze those that say where a row comes from."""
    declared = tuple(c.name for c in table.columns)
    if table.layer != "bronze":
        return declared
    change = ("_op", "_sequence", "_event_at") if isinstance(table.source, ChangeRows) else ()
    return (*declared, *change, "_source_file")


def read(uri: str, columns: tuple[str, ...], unless: str = "") -> Counter[tuple[Any, ...]]:
    """The newest rows at `uri`, read by delta-rs, which shares no line with the writer; none where there is no table."""
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    try:
        table = DeltaTable(uri, storage_options=_options())
    except TableNotFoundError:
        return Counter()
    wanted = [*columns, *([unless] if unless else [])]
    found = table.to_pyarrow_table(columns=wanted).to_pylist()
    return Counter(_hashable(tuple(row[c] for c in columns)) for row in found if not (unless and row[unless]))


def _hashable(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_hashable(v) for v in value)
    if isinstance(value, dict):
        return tuple((k, _hashable(v)) for k, v in sorted(value.items()))
    return value



def _options() -> dict[str, str]:
    here = settings()
    return {
        "AWS_ENDPOINT_URL": here.s3_endpoint, "AWS_ACCESS_KEY_ID": here.s3_access_key, "AWS_REGION": here.s3_region,
        "AWS_SECRET_ACCESS_KEY": here.s3_secret_key.get_secret_value(), "AWS_ALLOW_HTTP": "true",
        "aws_conditional_put": "etag",
    }  # fmt: skip


def differences(expected: dict[str, Counter[tuple[Any, ...]]], found: dict[str, Counter[tuple[Any, ...]]]) -> list[str]:
    """What differs between two lakes' contents, a few rows of each."""
    told = []
    for name in sorted(expected.keys() | found.keys()):
        there, here = expected.get(name, Counter()), found.get(name, Counter())
        missing, extra = there - here, here - there
        if missing or extra:
            told.append(
                f"{name}: {missing.total()} rows missing, {extra.total()} too many"
                + "".join(f"\n  missing {_shown(row)}" for row in list(missing)[:3])
                + "".join(f"\n  too many {_shown(row)}" for row in list(extra)[:3])
            )
    return told


def _shown(row: tuple[Any, ...]) -> str:
    return "(" + ", ".join(str(v) for v in row) + ")"
