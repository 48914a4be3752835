"""A warehouse of the tests' own on a running stack: publishing, killing and dropping touch nobody else's."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from lakehouse import storage
from lakehouse.settings import Settings, settings


@dataclass(frozen=True)
class Server:
    """The stack's Postgres, with a database of its own for one test module."""

    stack: Settings
    database: str

    def url(self, role: str) -> str:
        """An address for a role of the stack: `loader`, `analyst` or the administrator `postgres`."""
        secrets = json.loads((self.stack.home / "secrets.json").read_text(encoding="utf-8"))
        at = conninfo_to_dict(self.stack.warehouse_url.get_secret_value())
        return f"postgresql://{role}:{secrets[role]}@{at['host']}:{at['port']}/{self.database}"

    def admin(self) -> psycopg.Connection[Any]:
        """A connection that may do anything."""
        return psycopg.connect(self.url("postgres"), autocommit=True)


@contextlib.contextmanager
def own_warehouse(stack: Settings) -> Iterator[Server]:
    """A database and a folder in the lake of one's own, in the settings of this process and of its children."""
    server = Server(stack, f"test_{uuid.uuid4().hex[:12]}")
    outside = psycopg.connect(Server(stack, "postgres").url("postgres"), autocommit=True)
    outside.execute(f"CREATE DATABASE {server.database} OWNER loader")
    changed = {
        "LAKEHOUSE_WAREHOUSE_URL": server.url("loader"),
        "LAKEHOUSE_READER_URL": server.url("analyst"),
        "LAKEHOUSE_LAKE": f"{stack.lake}/_tests/{server.database}",
    }
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    settings.cache_clear()
    try:
        yield server
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        settings.cache_clear()
        storage.delete_prefix(f"{changed['LAKEHOUSE_LAKE']}/")
        outside.execute(f"DROP DATABASE {server.database} WITH (FORCE)")
        outside.close()
