"""The third proof of a table's inputs: the Delta locations that Spark says it will read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakehouse.declare.tables import Table
from lakehouse.delta.location import table_uri
from lakehouse.graph import Graph
from lakehouse.run.plan import UndeclaredRead
from lakehouse.settings import settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def check(graph: Graph, table: Table, rows: DataFrame) -> None:
    """Refuse a plan that reads a place in the lake which is no declared input (nor the table itself)."""
    text = rows._explain_string(extended=True)  # type: ignore[operator]
    seen = set(re.findall(re.escape(settings().lake) + r"/[\w/]*\w", text))
    allowed = {table_uri(graph[n]) for n in graph.upstream(table.name) if graph[n].kind == "table"} | {table_uri(table)}
    for place in sorted(seen):
        if not any(place == uri or place.startswith(uri + "/") for uri in allowed):
            raise UndeclaredRead(
                f"{table.name}: Spark would read {place}, which is no parameter. Declared: {', '.join(sorted(allowed))}.\n  {table.where}"
            )
