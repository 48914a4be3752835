"""Sign-in to the warehouse, as the one who loads it or as the one who asks it."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from lakehouse.errors import LakehouseError
from lakehouse.settings import settings

Connection = psycopg.Connection[tuple[Any, ...]]

# A server that works for a client which was killed must notice: its locks keep the next publication waiting.
NOTICES_DEAD_CLIENT = "-c client_connection_check_interval=1000"


class WarehouseUnreachable(LakehouseError):
    """Postgres does not answer, or does not let us in."""


def loader() -> Connection:
    """A connection that may load and publish; each statement is its own transaction unless one is opened."""
    return _connect(settings().warehouse_url, "lakehouse: publish", NOTICES_DEAD_CLIENT)


def reader(statement_seconds: float) -> Connection:
    """A connection that can only read, and no statement of it lasts longer than given."""
    options = f"-c default_transaction_read_only=on -c statement_timeout={int(statement_seconds * 1000)}"
    return _connect(settings().reader_url, "lakehouse: query", f"{NOTICES_DEAD_CLIENT} {options}")


def reader_role() -> str:
    """The name analysts sign in with."""
    return str(conninfo_to_dict(settings().reader_url.get_secret_value()).get("user", ""))


def _connect(url: SecretStr, application: str, options: str) -> Connection:
    try:
        return psycopg.connect(
            url.get_secret_value(), autocommit=True, connect_timeout=10, application_name=application, options=options
        )
    except psycopg.OperationalError as refused:
        place = conninfo_to_dict(url.get_secret_value())
        raise WarehouseUnreachable(
            f"the warehouse at {place.get('host')}:{place.get('port', 5432)}/{place.get('dbname')} does not let "
            f"'{place.get('user')}' in: {str(refused).strip()}\n"
            "  See `make status`; the address is the setting LAKEHOUSE_WAREHOUSE_URL (for queries LAKEHOUSE_READER_URL)."
        ) from None
