"""A private lake over a world's place: its surroundings while a test file runs, its tables read as temporary views."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from infra.world.advance import Place
from lakehouse import storage
from lakehouse.delta.location import table_uri
from lakehouse.graph import Graph
from lakehouse.run.frames import visible
from lakehouse.settings import settings


@dataclass
class Lake:
    """Tables of a graph where the surroundings say."""

    spark: Any
    graph: Graph

    def frame(self, name: str) -> Any:
        return visible(self.graph[name], self.spark.read.format("delta").load(table_uri(self.graph[name])))

    def ask(self, query: str, *names: str) -> list[tuple[Any, ...]]:
        for name in names:
            self.frame(name).createOrReplaceTempView(name)
        return [tuple(row) for row in self.spark.sql(query).collect()]


@contextmanager
def lake_of(place: Place, **more: str) -> Iterator[str]:
    """Lake and landing of a place's own, and further settings; gives landing. The lake is removed afterwards."""
    lake, landing = f"s3a://lake/_{place.bucket}", f"s3://{place.bucket}"
    wanted = {"LAKEHOUSE_LAKE": lake, "LAKEHOUSE_LANDING": landing, **more}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ |= wanted
    settings.cache_clear()
    try:
        yield landing
    finally:
        storage.delete_prefix(f"{lake}/")
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        settings.cache_clear()
