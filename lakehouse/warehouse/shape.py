"""What a declared table becomes in Postgres: columns, keys, references, comments, masks."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from psycopg import sql

from lakehouse.declare import Table
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from lakehouse.warehouse.roles import SEES

SCALARS = {
    "string": "text", "boolean": "boolean", "tinyint": "smallint", "smallint": "smallint", "int": "integer",
    "bigint": "bigint", "float": "real", "double": "double precision", "date": "date",
    "timestamp": "timestamp with time zone", "binary": "bytea",
}  # fmt: skip
LONGEST_NAME = 63 - len("__2147483647_99")  # Postgres cuts longer names silently, and two tables become one


class Unpublishable(LakehouseError):
    """A declaration that Postgres cannot take as it stands."""


@dataclass(frozen=True)
class ShownColumn:
    """One column as Postgres holds and shows it."""

    name: str
    type: str
    comment: str
    filled: bool
    seen_by: str
    """The group role that sees it; empty where everybody does."""


@dataclass(frozen=True)
class Reference:
    """Values of `column` are meant to exist as `other_column` in `other_table`."""

    table: str
    column: str
    other_table: str
    other_column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} → {self.other_table}.{self.other_column}"


@dataclass(frozen=True)
class Shape:
    """A table of the star schema, made from its declaration."""

    table: str
    layer: str
    comment: str
    columns: tuple[ShownColumn, ...]
    key: tuple[str, ...]
    references: tuple[Reference, ...]

    @property
    def data(self) -> str:
        """Changes when the data must be loaded anew although the Delta version is the same."""
        return _digest([(c.name, c.type, c.filled) for c in self.columns], self.key, self.indexed)

    @property
    def view(self) -> str:
        """Changes when the view must be made anew although the data are the same."""
        select = create_view(self, "", [c.name for c in self.columns]).as_string()
        return _digest(self.comment, self.columns, select)

    @property
    def indexed(self) -> tuple[str, ...]:
        """Columns that get an index beside the key's own."""
        return tuple(dict.fromkeys(r.column for r in self.references if r.column != self.key[0]))


def shape(graph: Graph, table: Table) -> Shape:
    """The Postgres shape of a table; references count where the other table is published too."""
    if len(table.name.encode()) > LONGEST_NAME:
        raise Unpublishable(
            f"{table.name}: the name has {len(table.name.encode())} bytes; the warehouse needs the rest of Postgres's 63 for "
            f"the version. Valid: at most {LONGEST_NAME}. Rename the table.\n  {table.where}"
        )
    published = set(graph.published())
    references = tuple(
        Reference(table.name, rule.column, rule.table, rule.other)
        for rule in table.rules
        if rule.kind == "reference" and rule.table in published
    )
    columns = []
    for column in table.columns:
        if column.name.startswith("_"):
            continue
        others = [f"{r.other_table}.{r.other_column}" for r in references if r.column == column.name]
        columns.append(
            ShownColumn(
                column.name,
                postgres_type(column.type),
                " ".join([column.description, *(f"References {other}." for other in others)]),
                column.required or column.name in table.key,
                SEES.get(column.sensitivity, ""),
            )
        )
    return Shape(table.name, table.layer, table.description, tuple(columns), table.key, references)


def postgres_type(spark: str) -> str:
    """The Postgres type for a type in Spark's words; what has no flat counterpart becomes jsonb."""
    if spark in SCALARS:
        return SCALARS[spark]
    if decimal := re.fullmatch(r"decimal\((\d+),(\d+)\)", spark):
        return f"numeric({decimal[1]},{decimal[2]})"
    inner = re.fullmatch(r"array<(.+)>", spark)
    if inner and "<" not in inner[1]:
        return f"{postgres_type(inner[1])}[]"
    return "jsonb"


def create_table(shape: Shape, data_table: str) -> sql.Composed:
    """CREATE TABLE in `staging`, without key and indexes: those are quicker made once the rows are in."""
    columns = [
        sql.SQL("{} {}{}").format(
            sql.Identifier(c.name), sql.SQL(c.type), sql.SQL(" NOT NULL" if c.filled else "")
        )
        for c in shape.columns
    ]
    return sql.SQL("CREATE TABLE {} ({})").format(
        sql.Identifier("staging", data_table), sql.SQL(", ").join(columns)
    )


def create_view(shape: Shape, data_table: str, order: list[str]) -> sql.Composed:
    """CREATE OR REPLACE VIEW, columns in the given order; what a reader may not see is null for them."""
    by_name = {c.name: c for c in shape.columns}
    return sql.SQL("CREATE OR REPLACE VIEW {} AS SELECT {} FROM {}").format(
        sql.Identifier("marts", shape.table),
        sql.SQL(", ").join(_expression(by_name[name]) for name in order),
        sql.Identifier("marts_data", data_table),
    )


def _expression(column: ShownColumn) -> sql.Composable:
    name = sql.Identifier(column.name)
    if not column.seen_by:
        return name
    # CASE forgets the precision of a numeric; without the cast the view could not be replaced but only made anew.
    asking = sql.SQL("(CASE WHEN marts_data.sees({}) THEN {} END)::{} AS {}")
    return asking.format(sql.Literal(column.seen_by), name, sql.SQL(column.type), name)


def comments(shape: Shape) -> list[sql.Composed]:
    """COMMENT ON for the view and each of its columns."""
    view = sql.Identifier("marts", shape.table)
    return [
        sql.SQL("COMMENT ON VIEW {} IS {}").format(view, sql.Literal(shape.comment)),
        *(
            sql.SQL("COMMENT ON COLUMN {} IS {}").format(
                sql.Identifier("marts", shape.table, c.name), sql.Literal(c.comment)
            )
            for c in shape.columns
        ),
    ]


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
