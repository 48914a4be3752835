"""Tiny job packages, written where a test wants them."""

from __future__ import annotations

import textwrap
from pathlib import Path

HEAD = """
from lakehouse.declare import *

"""

SHOP_ORDERS = """
@table(
    source=ChangeRows("shop/orders"), owner="commerce",
    columns=[Column("order_id", "string", "Number."), Column("customer_id", "string", "Who."), Column("total", "decimal(12,2)", "Sum.")],
)
def shop__orders(landed: Landed):
    "Changes of orders."
    return landed
"""
ORDERS = """
@table(
    key="order_id", owner="commerce", latest_by="_sequence", deleted_when="_op = 'delete'",
    columns=[Column("order_id", "string", "Number."), Column("customer_id", "string", "Who."), Column("total", "decimal(12,2)", "Sum.")],
)
def orders(shop__orders: Changes):
    "Newest state of orders."
    return shop__orders
"""
CUSTOMERS = """
@table(key="customer_id", owner="crm", columns=[Column("customer_id", "string", "Who.")])
def customers(shop__orders: Snapshot):
    "One row per customer."
    return shop__orders
"""
FCT_ORDERS = """
@table(
    key="order_id", owner="commerce", refresh="nightly",
    columns=[Column("order_id", "string", "Number."), Column("customer_id", "string", "Who.")],
    checks=[references("customers", "customer_id")],
)
def fct_orders(orders: Snapshot) -> SQL:
    "Orders for analysis."
    return "SELECT order_id, customer_id FROM orders"
"""
STANDING = {
    "bronze/shop__orders.py": SHOP_ORDERS,
    "silver/orders.py": ORDERS,
    "silver/customers.py": CUSTOMERS,
    "gold/fct_orders.py": FCT_ORDERS,
}


def write(folder: Path, files: dict[str, str]) -> Path:
    """A package `jobs` below the folder; each file begins with the imports every job has."""
    jobs = folder / "jobs"
    for name, text in files.items():
        file = jobs / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(HEAD + textwrap.dedent(text), encoding="utf-8")
    return jobs


def sql_table(sql: str, inputs: str = "orders: Snapshot", name: str = "fct_new", **more: str) -> str:
    """A gold table that says it all in a SELECT."""
    extra = "".join(f", {k}={v}" for k, v in more.items())
    return f"""
@table(key="order_id", owner="commerce", refresh="nightly", columns=[Column("order_id", "string", "Number.")]{extra})
def {name}({inputs}) -> SQL:
    "New."
    return {sql!r}
"""
