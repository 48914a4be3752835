"""One writer a table: runs and maintenance take turns (a MERGE loses to a concurrent OPTIMIZE after all its work)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from lakehouse.errors import LakehouseError
from lakehouse.settings import settings

WAIT_SECONDS = 1800


@contextmanager
def one_writer(table: str) -> Iterator[None]:
    """Hold the table's slot: a lock of the warehouse's Postgres, which frees it by itself when the holder dies."""
    import psycopg

    number = int.from_bytes(hashlib.sha256(f"lakehouse {settings().lake} {table}".encode()).digest()[:8], "big", signed=True)
    try:
        connection = psycopg.connect(settings().warehouse_url.get_secret_value(), autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise LakehouseError(
            f"{table}: the warehouse's Postgres does not answer ({str(error).strip().splitlines()[0]}), and it keeps the tables' locks. "
            "Start the stack with `make up`, or see `make status`."
        ) from error
    with connection:
        connection.execute(f"SET lock_timeout = '{WAIT_SECONDS}s'")
        try:
            connection.execute("SELECT pg_advisory_lock(%s)", (number,))
        except psycopg.errors.LockNotAvailable:
            raise LakehouseError(
                f"{table}: another run or maintenance held it for {WAIT_SECONDS} s. See `lakehouse show {table}`."
            ) from None
        yield
