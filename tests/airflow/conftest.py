import os
import tempfile
from pathlib import Path

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="lakehouse-airflow-"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")

import pytest

from lakehouse.graph import Graph, load

SHOP = {
    "bronze/shop__orders.py": """
from lakehouse.declare import ChangeRows, Column, Landed, Outbox, table

@table(source=ChangeRows("shop/orders", lands=Outbox("shop")), owner="commerce",
       columns=[Column("order_id", "string", "Order number."), Column("amount", "double", "Total.")])
def shop__orders(landed: Landed):
    "Changes of orders."
    return landed
""",
    "bronze/web__events.py": """
from lakehouse.declare import Column, JsonLines, Landed, table

@table(source=JsonLines("web/events", period="hour"), owner="web", columns=[Column("page", "string", "Page seen.")])
def web__events(landed: Landed):
    "Page views."
    return landed
""",
    "bronze/retail__lines.py": """
from lakehouse.declare import Column, Csv, Landed, table

@table(source=Csv("retail"), owner="retail", columns=[Column("invoice", "string", "Invoice number.")])
def retail__lines(landed: Landed):
    "Lines of files that somebody drops in."
    return landed
""",
    "silver/orders.py": """
from lakehouse.declare import Changes, Column, at_least, table

@table(key="order_id", latest_by="_sequence", owner="commerce", tags="finance", minimum_score=0.95,
       columns=[Column("order_id", "string", "Order number."), Column("amount", "double", "Total, a|b.", at_least(0, action="quarantine"))])
def orders(shop__orders: Changes):
    \"\"\"One row per order.

    Deduplicated.\"\"\"
    return shop__orders
""",
    "silver/pages.py": """
from lakehouse.declare import Changes, Column, table

@table(key="page", owner="web", columns=[Column("page", "string", "Page.")])
def pages(web__events: Changes):
    "One row per page."
    return web__events
""",
    "gold/fct_orders.py": """
from lakehouse.declare import Column, Snapshot, references, table

@table(key="order_id", owner="commerce", refresh="nightly", columns=[Column("order_id", "string", "Order number.")],
       checks=[references("dim_order", "order_id")])
def fct_orders(orders: Snapshot, pages: Snapshot):
    "Orders."
    return orders
""",
    "gold/dim_order.py": """
from lakehouse.declare import Column, Snapshot, table

@table(key="order_id", owner="commerce", refresh="nightly", columns=[Column("order_id", "string", "Order number.")])
def dim_order(orders: Snapshot):
    "Orders' properties."
    return orders
""",
    "features/feat_order.py": """
from lakehouse.declare import AsOf, Column, Snapshot, table

@table(key=["order_id", "as_of_date"], owner="science", refresh="nightly",
       columns=[Column("order_id", "string", "Order number."), Column("as_of_date", "date", "Day.")])
def feat_order(fct_orders: Snapshot, as_of: AsOf):
    "What is known of an order at the end of a day."
    return fct_orders
""",
    "models/propensity.py": """
from lakehouse.declare import Snapshot, model

@model(owner="science")
def propensity(feat_order: Snapshot):
    "How likely."
    return None
""",
    "predictions/pred_order.py": """
from lakehouse.declare import AsOf, Column, Model, Snapshot, table

@table(key=["order_id", "as_of_date"], owner="science", refresh="nightly",
       columns=[Column("order_id", "string", "Order number."), Column("as_of_date", "date", "Day.")])
def pred_order(feat_order: Snapshot, propensity: Model, as_of: AsOf):
    "How likely each order is."
    return feat_order
""",
}  # fmt: skip


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """A small company's graph with every layer, a model, and sources of three kinds."""
    return load(written(tmp_path_factory.mktemp("declared") / "shopjobs", SHOP))


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder
