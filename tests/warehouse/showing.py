"""One small table, written, published and read back."""

from __future__ import annotations

from typing import Any

import psycopg

from lakehouse.declare import Column
from lakehouse.warehouse import publish
from tests.warehouse import star
from tests.warehouse.server import Server
from tests.warehouse.star import Version, declared, write

NUMBER = Column("number", "bigint", "Counts.")
NAME = Column("name", "string", "Called.")


def things(*columns: Column, name: str = "dim_thing", checks: Any = (), key: str = "number") -> Any:
    """A table of numbers and names, unless told otherwise."""
    return declared(name, key, columns or (NUMBER, NAME), checks)


def rows(server: Server, statement: str, role: str = "analyst") -> list[tuple[Any, ...]]:
    """What a role reads."""
    with psycopg.connect(server.url(role), autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def show(declaration: Any, content: list[dict[str, Any]], **options: Any) -> Version:
    """Write and publish one table alone."""
    version = write(declaration, content)
    publish(star.star(declaration), {declaration.name: version}, "run", **options)
    return version
