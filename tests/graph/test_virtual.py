"""Virtual tables stand in the graph like others; what cannot hold for rows that nobody stores is refused."""

# ruff: noqa: E501 — a case a line reads as a table

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lakehouse.cli.drawing import tree
from lakehouse.graph import GraphError, load
from lakehouse.graph.live import source_tables

from .package import write

QUERY = "SELECT order_id, total FROM orders WHERE total > 0"
COLUMNS = 'Column("order_id", "string", "Number.")'
READER = '@table(key="order_id", owner="commerce", columns=[{columns}]{more})\ndef open_orders(shop__now: {reading}):\n    "Open."\n    return shop__now\n'


def virtual(query: str = QUERY, columns: str = COLUMNS, parameters: str = "live: Live", more: str = "", name: str = "shop__now") -> str:
    declared = f'@table(live=LiveQuery("shop", {query!r}), owner="commerce", columns=[{columns}]{more})'
    return f'{declared}\ndef {name}({parameters}):\n    "Now."\n    return live\n'


def reader(reading: str, more: str = "") -> str:
    return READER.format(columns=COLUMNS, reading=reading, more=more)


def test_a_virtual_table_stands_in_the_graph_like_any_other(tmp_path: Path) -> None:
    graph = load(write(tmp_path, {"bronze/shop__now.py": virtual(), "silver/open_orders.py": reader("Snapshot")}))
    assert graph.order() == ("shop__now", "open_orders")
    assert graph.with_upstream("open_orders") == ("shop__now", "open_orders")
    assert "← a query on shop, live" in tree(graph)
    assert graph.landers() == {} and graph.sources() == {}


def test_lineage_reaches_the_databases_own_tables() -> None:
    sql = "WITH big AS (SELECT * FROM orders) SELECT * FROM big JOIN crm.people p USING (id) JOIN orders o USING (id)"
    assert source_tables(sql) == ("crm.people", "public.orders")


NOTHING_STORED = "goes with stored rows, and of a virtual table none are stored"
REFUSED = {
    "read as changes": ({"silver/open_orders.py": reader("Changes")}, "is read as Changes: it keeps no history, so nobody knows what changed in it. Annotate it Snapshot"),
    "read by groups": ({"silver/open_orders.py": reader('Touched["order_id"]')}, "is read as Touched: it keeps no history"),
    "read by a model": ({"models/value.py": '@model(owner="x")\ndef value(shop__now: Snapshot):\n    "M."\n'}, "its training could not be repeated. Read a silver table made from it"),
    "not bronze": ({"silver/now.py": virtual(name="now", more=', key="order_id"')}, "only bronze tables are virtual; this one is in jobs/silver/"),
    "rules": ({"bronze/shop__now.py": virtual(columns='Column("order_id", "string", "N.", not_null())')}, f"rules and checks {NOTHING_STORED}"),
    "a score": ({"bronze/shop__now.py": virtual(more=", minimum_score=0.9")}, f"minimum_score {NOTHING_STORED}"),
    "a source too": ({"bronze/shop__now.py": virtual(more=', source=JsonLines("shop/x")')}, f"source {NOTHING_STORED}"),
    "two parameters": ({"bronze/shop__now.py": virtual(parameters="live: Live, landed: Landed")}, "reads its query and nothing else"),
    "no query": ({"bronze/shop__now.py": virtual().replace(f'live=LiveQuery("shop", {QUERY!r}), ', "")}, 'Add live=LiveQuery("shop", "SELECT …")'),
    "no SELECT": ({"bronze/shop__now.py": virtual("DELETE FROM orders")}, "must be one SELECT"),
    "two statements": ({"bronze/shop__now.py": virtual("SELECT 1; SELECT 2")}, "must be one SELECT"),
    "no SQL": ({"bronze/shop__now.py": virtual("SELECT (")}, "cannot be parsed"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_hold_is_refused_with_the_repair(tmp_path: Path, case: str) -> None:
    files, said = REFUSED[case]
    with pytest.raises(GraphError, match=re.escape(said)):
        load(write(tmp_path, {"bronze/shop__now.py": virtual(), **files}))
