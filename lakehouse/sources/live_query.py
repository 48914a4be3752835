"""A query on a live Postgres: held against its contract, and pinned to one moment for everybody who reads it in a run."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from lakehouse.declare.tables import Table
from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    import psycopg

KINDS = {
    "bool": "boolean", "int2": "smallint", "int4": "int", "int8": "bigint", "float4": "float", "float8": "double", "date": "date",
    "timestamp": "timestamp", "timestamptz": "timestamp", "bytea": "binary", "text": "string", "varchar": "string", "bpchar": "string",
    "uuid": "string", "json": "string", "jsonb": "string", "name": "string",
}  # fmt: skip
PASSED_ON = ("sslmode", "sslrootcert")


class LiveQueryRefused(LakehouseError):
    """The database refuses the query, or its answer breaks the contract."""


def connected(table: Table, address: SecretStr) -> psycopg.Connection[Any]:
    """A connection that sees one moment and writes nothing; a lost server raises psycopg.OperationalError."""
    import psycopg

    assert table.live is not None
    options = f"-c timezone=UTC -c statement_timeout={table.live.seconds * 1000}"
    connection = psycopg.connect(address.get_secret_value(), connect_timeout=10, application_name="lakehouse: live", options=options)
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def moment(connection: psycopg.Connection[Any]) -> tuple[str, datetime]:
    """The name under which other connections see what this one sees, and the time by the database's clock.

    Everything committed before that time is seen. It holds as long as the connection's transaction is open.
    """
    row = connection.execute("SELECT pg_export_snapshot(), statement_timestamp()").fetchone()
    assert row is not None
    return str(row[0]), row[1]


def check(table: Table, connection: psycopg.Connection[Any]) -> None:
    """Hold the answer's columns against the contract without fetching a row. Raises LiveQueryRefused naming each difference."""
    found = dict(_described(table, connection))
    wrong = []
    for column in table.columns:
        kind = found.get(column.received_as)
        if kind is None:
            wrong.append(f"column '{column.received_as}' is missing (it has {', '.join(found)})")
        elif kind != column.type:
            wrong.append(f"column '{column.received_as}' is {kind}, declared {column.type}: cast it in the query or declare it so")
    if wrong:
        raise LiveQueryRefused(f"{table.name}: the query's answer breaks the contract: {'; '.join(wrong)}.\n  {table.where}")


def _described(table: Table, connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    import psycopg

    assert table.live is not None
    try:
        with connection.transaction():
            answer = connection.execute(f"SELECT * FROM ({table.live.sql}) AS live LIMIT 0".encode())
    except (psycopg.ProgrammingError, psycopg.NotSupportedError) as refused:
        raise LiveQueryRefused(f"{table.name}: '{table.live.source}' refuses the query: {str(refused).strip()}\n  {table.where}") from None
    return [(c.name, _kind(connection, c)) for c in answer.description or ()]


def _kind(connection: psycopg.Connection[Any], column: psycopg.Column) -> str:
    known = connection.adapters.types.get(column.type_code)
    name = known.name if known else f"the Postgres type {column.type_code}"
    if name == "numeric":
        return f"decimal({column.precision},{column.scale})" if column.precision else "a numeric without precision"
    return KINDS.get(name, name)


def rows(table: Table, address: SecretStr, limit: int) -> list[tuple[Any, ...]]:
    """Some rows, as they are now: the declared columns in declared order."""
    from psycopg.sql import SQL, Identifier, Literal

    assert table.live is not None
    columns = SQL(", ").join(Identifier(c.received_as) for c in table.columns)
    with connected(table, address) as connection:
        check(table, connection)
        query = SQL("SELECT {} FROM ({}) AS live LIMIT {}").format(columns, SQL(table.live.sql), Literal(limit))  # type: ignore[arg-type]
        return connection.execute(query).fetchall()


def jdbc(table: Table, address: SecretStr, snapshot: str) -> dict[str, str]:
    """What Spark's reader is told. The password travels with the plan of this one read; Spark's settings never hold it."""
    from psycopg.conninfo import conninfo_to_dict

    assert table.live is not None
    given = {name: str(value) for name, value in conninfo_to_dict(address.get_secret_value()).items()}
    passed = {n: given[n] for n in PASSED_ON if n in given} | {"ApplicationName": "lakehouse: live"}
    place = f"{given.get('host', '127.0.0.1')}:{given.get('port', '5432')}/{quote(given.get('dbname', ''))}"
    return {
        "url": f"jdbc:postgresql://{place}?{urlencode(passed)}", "driver": "org.postgresql.Driver",
        "user": given.get("user", ""), "password": given.get("password", ""),
        "dbtable": f"({table.live.sql}) AS live", "queryTimeout": str(table.live.seconds),
        "fetchsize": "10000",  # without it the driver keeps the whole answer in memory, and opens no transaction
        "sessionInitStatement": f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{snapshot}'",
    }  # fmt: skip
