"""The tables of a publication: their shape by the catalog, and all their rows as of one moment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.sources.capture.slot import SESSION, CaptureError, replication

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[Any]

PUBLISHED = """
SELECT p.schemaname, p.tablename, p.rowfilter, c.relreplident, c.relkind, c.relfilenode,
       (SELECT jsonb_agg(jsonb_build_array(a.attname, a.atttypid::bigint, a.atttypmod, a.attnum) ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY (p.attnames)),
       coalesce((SELECT jsonb_agg(a.attname ORDER BY a.attnum) FROM pg_index i JOIN pg_attribute a
                 ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary), '[]')
FROM pg_publication_tables p JOIN pg_class c ON c.oid = format('%%I.%%I', p.schemaname, p.tablename)::regclass
WHERE p.pubname = %s
"""


@dataclass(frozen=True)
class Published:
    """One table of a publication. `shape` changes whenever rows may have changed without a word in the log."""

    schema: str
    name: str
    columns: tuple[str, ...]
    types: tuple[int, ...]
    key: tuple[str, ...]
    shape: str
    filter: str
    whole: bool

    @property
    def address(self) -> str:
        """Schema and name, quoted for SQL."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"


def quoted(name: str) -> str:
    """A name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def published(connection: Connection, source: str, publication: str) -> dict[str, Published]:
    """The publication's tables by name. Raises CaptureError where there are none, or where the log would not name their rows."""
    found: dict[str, Published] = {}
    for schema, name, row_filter, identity, kind, file, columns, key in connection.execute(PUBLISHED, [publication]):
        where = f"{source}: publication '{publication}'"
        if name in found:
            raise CaptureError(f"{where} has {found[name].schema}.{name} and {schema}.{name}; names must differ. Use two publications")
        if identity not in ("d", "f") or (identity == "d" and not key):
            address = f"{quoted(schema)}.{quoted(name)}"
            raise CaptureError(
                f"{where} has {schema}.{name}, of which the log would not say which row changed. Give it a primary key and "
                f"ALTER TABLE {address} REPLICA IDENTITY DEFAULT, or else ALTER TABLE {address} REPLICA IDENTITY FULL"
            )
        shape = json.dumps([columns, key, file])
        names, types = tuple(c[0] for c in columns), tuple(c[1] for c in columns)
        found[name] = Published(schema, name, names, types, tuple(key), shape, row_filter or "", kind == "p")
    if not found:
        raise CaptureError(
            f"{source}: its database has no publication '{publication}' with a table in it. Make it there: "
            f"CREATE PUBLICATION {publication} FOR TABLE …, or name another one: ChangeCapture(\"{source}\", publication=\"…\")"
        )
    return found


def rows(connection: Connection, table: Published) -> Iterator[Sequence[str | None]]:
    """All rows of a table, as text as the log would write it."""
    selected = ", ".join(map(quoted, table.columns))
    where = f" WHERE {table.filter}" if table.filter else ""
    only = "" if table.whole else "ONLY "
    query = f"COPY (SELECT {selected} FROM {only}{table.address}{where}) TO STDOUT"
    with connection.cursor() as cursor, cursor.copy(query.encode()) as copy:
        yield from copy.rows()


@contextmanager
def moment(
    source: str, dsn: str, tables: Mapping[str, Published], slot: str, *, temporary: bool = False
) -> Iterator[tuple[Connection, int]]:
    """A connection that sees the tables as of one moment, and the position in the log of that moment.

    The moment is made with a new slot, which stays or is temporary. The tables are locked against changes of their shape
    from before, because a table that is rewritten looks empty to whoever looks at an earlier moment.
    """
    import psycopg

    with psycopg.connect(dsn, autocommit=True, options=f"{SESSION} -c lock_timeout=60s") as reader, replication(source, dsn) as stream:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for table in tables.values():
            reader.execute(f"LOCK TABLE {table.address} IN ACCESS SHARE MODE".encode())
        position, snapshot = stream.create(slot, temporary=temporary)
        reader.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'".encode())
        yield reader, position
        reader.execute("COMMIT")


def current(connection: Connection, table: Published, names: Sequence[str], key: Sequence[object]) -> list[Any]:
    """Values of a row as it is now, for what an update left unchanged and the log does not repeat; nothing where it is gone."""
    wanted = ", ".join(f"CASE WHEN {quoted(n)} IS NOT NULL THEN format('%%s', {quoted(n)}) END" for n in names)
    where = " AND ".join(f"{quoted(n)} = %s" for n in table.key)
    row = connection.execute(f"SELECT {wanted} FROM {table.address} WHERE {where}".encode(), list(key)).fetchone()
    return list(row) if row else [None] * len(names)
