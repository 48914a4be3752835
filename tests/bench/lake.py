"""A private corner of the lake for a benchmark: own prefixes, own copy of a few tables, change rows by hand."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lakehouse import storage
from lakehouse.graph import Graph, load
from lakehouse.run import Report, run_table
from lakehouse.settings import settings

COLUMNS = """columns=[
        Column("order_id", "string", "Key."), Column("customer_id", "string", "Who."), Column("status", "string", "State."),
        Column("total", "decimal(12,2)", "Money."), Column("ordered_at", "timestamp", "When."),
    ]"""
BRONZE = f'''
from lakehouse.declare import ChangeRows, Column, Landed, table


@table(source=ChangeRows("shop/orders"), owner="bench", {COLUMNS})
def shop__orders(landed: Landed):
    """Changes of orders."""
    return landed
'''
SILVER = f'''
from lakehouse.declare import Changes, Column, table


@table(key="order_id", latest_by="_sequence", deleted_when="_op = 'delete'", owner="bench", {COLUMNS})
def orders(shop__orders: Changes):
    """One row per order."""
    return shop__orders.select("order_id", "customer_id", "status", "total", "ordered_at", "_op", "_sequence")
'''


class Lake:
    """Made in `folder` under the prefix `name`; `close()` forgets its objects."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.jobs, self.batches = folder, folder / f"{name}_jobs", 0
        os.environ["LAKEHOUSE_LAKE"], os.environ["LAKEHOUSE_LANDING"] = f"s3a://lake/_{name}", f"s3://landing/_{name}"
        settings.cache_clear()
        self.uri = settings().lake
        self.graph: Graph
        for layer in ("bronze", "silver", "gold", "features", "models", "predictions"):
            (self.jobs / layer).mkdir(parents=True, exist_ok=True)
            (self.jobs / layer / "__init__.py").touch()
        (self.jobs / "__init__.py").touch()
        self.forget()
        self.write("bronze", "shop__orders", BRONZE)
        self.write("silver", "orders", SILVER)

    def write(self, layer: str, name: str, text: str) -> None:
        """Add a table."""
        (self.jobs / layer / f"{name}.py").write_text(text, encoding="utf-8")
        self.graph = load(self.jobs)

    def order(self, sequence: int, order_id: str, total: float = 10.0) -> dict[str, Any]:
        """A change row of the shop's orders."""
        at = "2026-11-01T10:00:00+00:00"
        row = {"order_id": order_id, "customer_id": f"C{sequence % 97}", "status": "placed", "total": total, "ordered_at": at}
        return {"sequence": sequence, "operation": "upsert", "at": at, "row": row}

    def batch(self, rows: Iterable[dict[str, Any]]) -> None:
        """Land one batch of change rows."""
        self.batches += 1
        body = "\n".join(json.dumps(r) for r in rows).encode()
        storage.put(f"{settings().landing}/shop/orders/{self.batches:010d}.jsonl.gz", gzip.compress(body))
        storage.put(f"{settings().landing}/shop/_batches/{self.batches:010d}.json", b"{}")

    def run(self, name: str, **how: Any) -> Report:
        """Run a table without recording it."""
        return run_table(self.graph, name, record=False, **how)

    def forget(self) -> None:
        """Remove all objects of this corner."""
        storage.delete_prefix(f"{settings().lake}/")
        storage.delete_prefix(f"{settings().landing}/")

    def close(self) -> None:
        """Forget, and give the settings back."""
        self.forget()
        del os.environ["LAKEHOUSE_LAKE"], os.environ["LAKEHOUSE_LANDING"]
        settings.cache_clear()
