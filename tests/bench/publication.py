"""Publication of a fact of two million rows against Spark's JDBC writer, as it comes and told to send rows in bulk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg.conninfo import conninfo_to_dict

from lakehouse.declare import Column
from lakehouse.delta.location import table_uri
from lakehouse.delta.session import open_session
from lakehouse.settings import settings
from lakehouse.warehouse import publish, query
from tests.bench import cpu
from tests.bench.figure import Figure
from tests.warehouse.server import own_warehouse
from tests.warehouse.star import declared, star, write_arrow

ROWS = int(os.environ.get("LAKEHOUSE_BENCH_PUBLICATION_ROWS", "2000000"))
FACT = declared(
    "fct_lines",
    "order_line_id",
    [
        Column("order_line_id", "string", "Key."), Column("order_id", "string", "Order."),
        Column("customer_id", "string", "Who."), Column("product_id", "string", "Article."),
        Column("channel", "string", "Way in."), Column("quantity", "int", "Pieces."),
        Column("amount", "decimal(12,2)", "Money."), Column("discount", "decimal(12,2)", "Money."),
        Column("rate", "double", "Share."), Column("is_refunded", "boolean", "Money back."),
        Column("ordered_at", "timestamp", "When."), Column("order_date", "date", "Day."),
    ],
)  # fmt: skip


def figures() -> Iterator[Figure]:
    """Publish (rows, key, statistics, switch) and write by JDBC (rows alone); servers warm, each the better of two."""
    with own_warehouse(settings()):
        version = write_arrow(FACT, _lines(1000))
        publish(star(FACT), {FACT.name: version}, "warm-up")
        _jdbc("", {})
        publications = []
        for turn in range(2):
            version = write_arrow(FACT, _lines(ROWS))
            with cpu.measured() as cost:
                publish(star(FACT), {FACT.name: version}, f"bench {turn}")
            publications.append(cost)
        assert query(f"SELECT count(*) FROM marts.{FACT.name}").rows == [(ROWS,)]
        ours = _better(publications)
        bulk = "?reWriteBatchedInserts=true"
        yield from _compared(ours, "stock", 0.25, lambda: _jdbc("", {}))
        yield from _compared(ours, "rewriting batches of 10,000", 0.5, lambda: _jdbc(bulk, {"batchsize": "10000"}))


def _compared(ours: cpu.Cost, name: str, goal: float, write: Callable[[], None]) -> Iterator[Figure]:
    writes = []
    for _ in range(2):
        with cpu.measured() as cost:
            write()
        writes.append(cost)
    theirs = _better(writes)
    size = f"{ROWS / 1e6:g} M rows x {len(FACT.columns)} columns"
    yield Figure(
        f"publication / Spark JDBC, {name}: CPU", goal, ours.cpu / theirs.cpu, "ratio",
        f"{size}: {ours.cpu:.1f} / {theirs.cpu:.1f} CPU-s (client, Spark and Postgres; ours with key and statistics)",
    )  # fmt: skip
    yield Figure(
        f"publication / Spark JDBC, {name}: wall", goal, ours.wall / theirs.wall, "ratio",
        f"{size}: {ours.wall:.1f} / {theirs.wall:.1f} s",
    )  # fmt: skip


def _better(costs: list[cpu.Cost]) -> cpu.Cost:
    return cpu.Cost(min(c.cpu for c in costs), min(c.wall for c in costs))


def _jdbc(parameters: str, options: dict[str, str]) -> None:
    at = conninfo_to_dict(settings().warehouse_url.get_secret_value())
    with open_session() as spark:
        rows = spark.read.format("delta").load(table_uri(FACT))
        rows.write.format("jdbc").options(
            url=f"jdbc:postgresql://{at['host']}:{at['port']}/{at['dbname']}{parameters}",
            user=str(at["user"]), password=str(at["password"]), dbtable="marts_data.by_jdbc", driver="org.postgresql.Driver",
            **options,
        ).mode("overwrite").save()  # fmt: skip


def _lines(count: int) -> pa.Table:
    chance = np.random.default_rng(1)
    number = pa.array(np.arange(count))

    def text(values: object, prefix: str) -> pa.Array:
        return pc.binary_join_element_wise(prefix, pc.cast(values, pa.string()), "")

    def money(highest: int) -> pa.Array:
        cents = pa.array(chance.integers(0, highest, count)).cast(pa.decimal128(19, 0))
        return pc.multiply(cents, pa.scalar(1, pa.decimal128(1, 0))).cast(pa.decimal128(21, 2)).cast(pa.decimal128(12, 2))

    instant = pa.array(1_700_000_000_000_000 + chance.integers(0, 3 * 10**13, count))
    columns = {
        "order_line_id": text(number, "L"), "order_id": text(pa.array(np.arange(count) // 3), "O"),
        "customer_id": text(pa.array(chance.integers(0, 200_000, count)), "C"),
        "product_id": text(pa.array(chance.integers(0, 5_000, count)), "P"),
        "channel": pa.array(chance.choice(["search", "email", "social", "direct"], count)),
        "quantity": pa.array(chance.integers(1, 9, count), pa.int32()), "amount": money(99_999), "discount": money(99),
        "rate": pa.array(chance.random(count)), "is_refunded": pa.array(chance.random(count) < 0.05),
        "ordered_at": instant.cast(pa.timestamp("us", tz="UTC")),
        "order_date": pa.array(chance.integers(19_000, 20_000, count), pa.int32()).cast(pa.date32()),
    }  # fmt: skip
    return pa.table(columns)
