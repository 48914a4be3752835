"""A small star schema for tests: its declarations, and Delta tables written directly, without Spark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from lakehouse.declare import Column, Snapshot, Table, references, table
from lakehouse.graph import Graph
from lakehouse.settings import settings
from lakehouse.warehouse.lake import storage_options

ARROW = {
    "string": pa.string(), "bigint": pa.int64(), "int": pa.int32(), "date": pa.date32(), "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"), "decimal(12,2)": pa.decimal128(12, 2), "double": pa.float64(),
    "array<string>": pa.list_(pa.string()), "array<decimal(12,2)>": pa.list_(pa.decimal128(12, 2)),
    "struct<city:string,zip:string>": pa.struct([("city", pa.string()), ("zip", pa.string())]),
    "map<string,bigint>": pa.map_(pa.string(), pa.int64()), "binary": pa.binary(),
}  # fmt: skip


@dataclass(frozen=True)
class Version:
    """What a cut says of a table."""

    id: str
    version: int


def declared(
    name: str,
    key: str | Sequence[str],
    columns: Sequence[Column],
    checks: Sequence[Any] = (),
    layer: str = "gold",
    description: str = "A table of a test.",
) -> Table:
    """A table as `jobs/<layer>/<name>.py` would declare it."""

    def function(anything: Snapshot) -> None: ...

    function.__name__, function.__doc__ = name, description
    return table(key=key, owner="tests", refresh="nightly", columns=columns, checks=checks)(function).in_layer(layer)


def star(*tables: Table) -> Graph:
    """A graph of just these tables."""
    return Graph({each.name: each for each in tables})


def write(
    declaration: Table,
    rows: Sequence[dict[str, Any]],
    hidden: dict[str, pa.DataType] | None = None,
    **options: Any,
) -> Version:
    """Overwrite a table's Delta table with rows; returns the version that made."""
    fields = [pa.field(c.name, ARROW[c.type]) for c in declaration.columns]
    fields += [pa.field(name, kind) for name, kind in (hidden or {}).items()]
    schema = pa.schema(fields)
    return write_arrow(declaration, pa.Table.from_pylist(list(rows), schema=schema), **options)


def write_arrow(declaration: Table, rows: pa.Table, mode: str = "overwrite", **options: Any) -> Version:
    """The same with rows given as Arrow."""
    uri = f"{settings().lake}/{declaration.layer}/{declaration.name}"
    unsafe = {"AWS_S3_ALLOW_UNSAFE_RENAME": "true"}  # one writer only, in these tests
    write_deltalake(
        uri, rows, mode=mode, storage_options=storage_options() | unsafe, schema_mode="overwrite", **options
    )
    return newest(declaration)


def newest(declaration: Table) -> Version:
    """The table's id and newest version."""
    uri = f"{settings().lake}/{declaration.layer}/{declaration.name}"
    delta = DeltaTable(uri, storage_options=storage_options())
    return Version(str(delta.metadata().id), delta.version())


DIM_CUSTOMER = declared(
    "dim_customer",
    "customer_id",
    [
        Column("customer_id", "string", "Who buys.", sensitivity="pseudonym"),
        Column("email", "string", "Where to write to.", sensitivity="personal"),
        Column("balance", "decimal(12,2)", "What is owed.", sensitivity="personal"),
        Column("country", "string", "Where they live."),
    ],
    description="One row per customer.",
)
FCT_ORDERS = declared(
    "fct_orders",
    "order_id",
    [
        Column("order_id", "bigint", "The order's number."),
        Column("customer_id", "string", "Who ordered.", sensitivity="pseudonym"),
        Column("total", "decimal(12,2)", "Sum of the lines."),
        Column("lines", "int", "How many lines."),
        Column("ordered_at", "timestamp", "When, UTC."),
        Column("order_date", "date", "The day."),
    ],
    checks=[references("dim_customer", "customer_id")],
    description="One row per order.",
)
FCT_ORDER_LINES = declared(
    "fct_order_lines",
    "order_line_id",
    [
        Column("order_line_id", "bigint", "The line's number."),
        Column("order_id", "bigint", "Its order."),
        Column("amount", "decimal(12,2)", "What it costs."),
    ],
    checks=[references("fct_orders", "order_id")],
    description="One row per order line.",
)


def orders_of_a_moment(moment: int, orders: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Orders and their lines, both unlike those of any other moment, and always fitting together."""
    headers, lines = [], []
    for n in range(orders):
        order_id = moment * 1_000_000 + n if n % 2 else n  # some orders stay from moment to moment, some do not
        amounts = [Decimal((moment * 7 + n * 13 + i * 31) % 9_999 + 1) / 100 for i in range(1 + (moment + n) % 4)]
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
        headers.append(
            {
                "order_id": order_id, "customer_id": f"c{n % 50}", "total": sum(amounts), "lines": len(amounts),
                "ordered_at": at, "order_date": at.date(),
            }
        )  # fmt: skip
        lines += [
            {"order_line_id": order_id * 10 + i, "order_id": order_id, "amount": amount}
            for i, amount in enumerate(amounts)
        ]
    return headers, lines


def customers(count: int = 50) -> list[dict[str, Any]]:
    """Customers c0, c1, …"""
    return [
        {"customer_id": f"c{n}", "email": f"c{n}@example.org", "balance": Decimal("1.50"), "country": "DE"}
        for n in range(count)
    ]
