"""Where things lie in the lake."""

from __future__ import annotations

from lakehouse.declare.tables import Table
from lakehouse.settings import settings


def table_uri(table: Table) -> str:
    """`s3a://lake/silver/orders`."""
    return f"{settings().lake}/{table.layer}/{table.name}"


def quarantine_uri(name: str) -> str:
    """Rows held back from the table `name`."""
    return f"{settings().lake}/quarantine/{name}"


def handled_uri(name: str) -> str:
    """What became of rows that were held back from the table `name`."""
    return f"{settings().lake}/handled/{name}"


def staged_uri(name: str, run: str = "") -> str:
    """Rows of one run before they are audited; without `run`, the folder of all runs of the table."""
    return f"{settings().lake}/_staged/{name}/{run}"


def ledger_uri(name: str) -> str:
    """Which landed objects the bronze table `name` has taken."""
    return f"{settings().lake}/_ledger/{name}"


def cuts_uri(dag: str) -> str:
    """The cuts of a DAG: versions that belong together."""
    return f"{settings().lake}/_cuts/{dag}"
