"""`make retail FILE=…`: drop a wholesaler's file into landing and run the same pipeline on it, reconciled at every layer."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from lakehouse import storage
from lakehouse.delta.location import quarantine_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.delta.session import open_session
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph, load
from lakehouse.run import run_table
from lakehouse.settings import settings

TABLES = ("retail__lines", "retail_lines", "fct_retail_lines", "fct_retail_invoices")
FIGURES = (
    ("lines", "count(*)"),
    ("invoices", "count(DISTINCT invoice_no)"),
    ("customers", "count(DISTINCT customer_id)"),
    ("lines without customer", "count_if(customer_id IS NULL)"),
    ("cancellation lines", "count_if(invoice_no LIKE 'C%')"),
    ("repeated lines", "count_if(is_repeated)"),
    ("total", "sum(amount_gbp)"),
)
BRONZE = {
    "customer_id": "customer_number",
    "sum(amount_gbp)": "sum(CAST(quantity * unit_price AS DECIMAL(18,3)))",
    "count_if(is_repeated)": "count(*) - count(DISTINCT to_json(struct(invoice_no, stock_code, description, quantity, invoiced_at, "
    "unit_price, customer_number, country)))",
}


def deliver(file: Path) -> str:
    """Put a file into landing under its own name, streamed; returns the object's address."""
    if not file.is_file():
        raise LakehouseError(f"'{file}' is no file. Give a CSV file (or .csv.gz) with the columns of online_retail: make retail FILE=…")
    uri = f"{settings().landing}/retail/{file.name}"
    bucket, key = storage.split(uri)
    storage.client().upload_file(str(file), bucket, key)
    return uri


def reconcile(graph: Graph) -> dict[str, dict[str, object]]:
    """The same figures at every layer: table → figure → value."""
    found: dict[str, dict[str, object]] = {}
    with open_session() as spark:
        for name in TABLES[:3]:
            expressions = [_as_in(name, e) for _, e in FIGURES]
            row = spark.read.format("delta").load(table_uri(graph[name])).selectExpr(*expressions).collect()[0]
            found[name] = {label: row[n] for n, (label, _) in enumerate(FIGURES)}
        invoices = spark.read.format("delta").load(table_uri(graph["fct_retail_invoices"]))
        row = invoices.selectExpr("sum(lines)", "count(*)", "count(DISTINCT customer_id)", "sum(amount_gbp)").collect()[0]
        found["fct_retail_invoices"] = {"lines": row[0], "invoices": row[1], "customers": row[2], "total": row[3]}
        if DeltaLog(quarantine_uri(TABLES[0])).version is not None:
            held = spark.read.format("delta").load(quarantine_uri(TABLES[0])).groupBy("reason").count().collect()
            found["quarantine"] = {r["reason"]: r["count"] for r in held}
    return found


def _as_in(table: str, expression: str) -> str:
    if table != TABLES[0]:
        return expression
    for silver, bronze in BRONZE.items():
        expression = expression.replace(silver, bronze)
    return expression


def main(arguments: list[str]) -> int:
    """Deliver, run, show."""
    console = Console()
    if len(arguments) != 1:
        console.print("Usage: make retail FILE=online_retail.csv.gz")
        return 2
    try:
        graph = load(settings().jobs)
        console.print(f"Delivered to {deliver(Path(arguments[0]))}")
        for name in TABLES:
            console.print(str(run_table(graph, name)))
        figures = reconcile(graph)
    except LakehouseError as error:
        console.print(f"[red]{error}[/red]")
        return 1
    grid = Grid(title="Reconciled at every layer")
    grid.add_column("figure")
    for name in TABLES:
        grid.add_column(name, justify="right")
    for label, _ in FIGURES:
        values = [figures[n].get(label) for n in TABLES]
        grid.add_row(label, *("" if v is None else f"{v:,}" if isinstance(v, int) else f"{v:,.2f}" for v in values))
    console.print(grid)
    for reason, count in figures.get("quarantine", {}).items():
        console.print(f"quarantine: {count} lines, {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
