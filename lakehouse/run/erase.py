"""A person taken out of bronze, whatever source brought them; everything above follows from what remains, as after any deletion.

A row tells of a person where one of their words (customer number, address, SHA-256 of an address) stands in a column that its contract
calls pseudonym, personal or highly sensitive: as a whole word, in any spelling of capitals. Addresses are gathered from the rows found.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Literal

from lakehouse.cleaning.emails import email
from lakehouse.declare.sources import ChangeRows
from lakehouse.declare.tables import Table
from lakehouse.delta.location import handled_uri, quarantine_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.delta.session import open_session
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from lakehouse.run.lock import one_writer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TELLING = ("pseudonym", "personal", "highly_sensitive")
SHORTEST = 5
"""Characters of a word: a shorter one stands in rows of others."""
Becomes = Literal["deleted", "emptied", "follows"]


class NotErased(LakehouseError):
    """A person who cannot be looked for."""


@dataclass(frozen=True)
class Found:
    """Rows of one table that tell of the person, and what becomes of them."""

    table: str
    rows: int
    becomes: Becomes


def look(graph: Graph, *words: str) -> list[Found]:
    """Where a person is told of, in every table and quarantine there is. Changes nothing."""
    with open_session() as spark:
        known = _known(spark, graph, words)
        return [found for found, _ in _everywhere(spark, graph, known)]


def erase(graph: Graph, *words: str) -> list[Found]:
    """Take a person out of bronze and of what waits in quarantine; the next runs do the rest. Doing it again changes nothing.

    Rows go; where a table declares `when_erased="empty"` (a sale happened all the same) they stay, and what they tell of the person goes.
    Change rows lose what is personal and follow their source for the rest: delete the person there first.
    """
    with open_session() as spark:
        known = _known(spark, graph, words)
        there = [(found, table) for found, table in _everywhere(spark, graph, known) if found.becomes != "follows"]
        for found, table in there:
            with one_writer(table.name):
                if found.table == table.name:
                    _take_out(spark, table, known)
                else:
                    _take_aside(spark, table.name, known)
        return [found for found, _ in there]


def emptied(table: Table) -> list[str]:
    """Columns of a bronze table that an erasure empties; none where the rows go as a whole."""
    if isinstance(table.source, ChangeRows):
        return [c.name for c in table.columns if c.sensitivity in TELLING[1:]]
    return [c.name for c in table.columns if c.sensitivity in TELLING] if table.when_erased == "empty" else []


def told(table: Table) -> list[str]:
    """Columns of text in which a person may stand, by the contract."""
    return [c.name for c in table.columns if c.sensitivity in TELLING and c.type == "string"]


def word_of(words: Iterable[str]) -> str:
    """A regular expression (Java's, small letters) for any of the words, standing alone: `b@x.org` is not in `a.b@x.org`."""
    listed = "|".join(map(re.escape, sorted(words)))
    return rf"(?<![a-z0-9._%+-])(?:{listed})(?![a-z0-9]|[.][a-z0-9])"


def with_hash(address: str) -> set[str]:
    """An address as it may be written: itself in small letters, its SHA-256."""
    small = address.strip().lower()
    return {small, hashlib.sha256(small.encode()).hexdigest()}


def _known(spark: SparkSession, graph: Graph, words: Iterable[str]) -> set[str]:
    """All words of the person: those given, the addresses beside them, those beside these."""
    known: set[str] = set()
    for word in words:
        if len(word.strip()) < SHORTEST:
            raise NotErased(f"'{word}' would be found in rows of others. Give a number or address of {SHORTEST} characters or more.")
        known |= with_hash(word) if "@" in word else {word.strip().lower()}
    tables = [t for t in graph.tables.values() if t.layer == "bronze" and t.live is None and DeltaLog(table_uri(t)).version is not None]
    while fresh := _addresses(spark, tables, known) - known:
        known |= fresh
    return known


def _addresses(spark: SparkSession, tables: Iterable[Table], known: set[str]) -> set[str]:
    """Addresses in the rows that tell of the person, from columns that hold one address and nothing else; none of a role (info@…)."""
    from pyspark.sql import functions as F

    beside = []
    for table in tables:
        personal = [c.name for c in table.columns if c.sensitivity == "personal" and c.type == "string"]
        if personal:
            rows = _rows(_frame(spark, table_uri(table)), told(table), known)
            beside.append(rows.select(F.explode(F.array(*personal)).alias("value")).where("value LIKE '%@%'"))
    if not beside:
        return set()
    read = [email(value) for (value,) in reduce(lambda a, b: a.union(b), beside).distinct().collect()]
    return {word for one in read if one and not one.is_role for word in with_hash(one.address)}


def _everywhere(spark: SparkSession, graph: Graph, known: set[str]) -> list[tuple[Found, Table]]:
    """Every table and quarantine that has rows of the person; above bronze in all columns of text, whatever the contract calls them."""
    from pyspark.sql import functions as F

    places: dict[str, Table] = {}
    rows = []
    for table in graph.tables.values():
        if table.kind == "model" or table.live is not None:
            continue
        texts = told(table) if table.layer == "bronze" else [c.name for c in table.columns if c.type == "string"]
        there = [(table_uri(table), texts, _to_take(table))] if texts and DeltaLog(table_uri(table)).version is not None else []
        for uri, columns, left in (*there, *((uri, columns, "true") for uri, columns in _aside(table.name))):
            name = table.name if uri == table_uri(table) else f"{uri.rsplit('/', 2)[1]}.{table.name}"
            places[name] = table
            rows.append(_rows(_frame(spark, uri), columns, known).select(F.lit(name).alias("name"), F.expr(left).alias("left")))
    if not rows:
        return []
    counted = reduce(lambda a, b: a.union(b), rows).groupBy("name").agg(F.count("left"), F.count_if("left"))
    found = []
    for name, all_of_them, left in sorted(map(tuple, counted.collect())):
        is_emptied = name == places[name].name and emptied(places[name])
        becomes: Becomes = "follows" if not left else "emptied" if is_emptied else "deleted"
        found.append((Found(name, left or all_of_them, becomes), places[name]))
    return found


def _to_take(table: Table) -> str:
    """SQL for whether an erasure takes something from a row found."""
    if table.layer != "bronze" or (isinstance(table.source, ChangeRows) and not emptied(table)):
        return "false"
    return " OR ".join(f"`{name}` IS NOT NULL" for name in emptied(table)) or "true"


def _frame(spark: SparkSession, uri: str) -> DataFrame:
    return spark.read.format("delta").load(uri)


def _rows(frame: DataFrame, columns: list[str], known: set[str]) -> DataFrame:
    from pyspark.sql import functions as F

    pattern = word_of(known)
    return frame.where(reduce(lambda a, b: a | b, [F.coalesce(F.lower(c).rlike(pattern), F.lit(False)) for c in columns]))


def _take_out(spark: SparkSession, table: Table, known: set[str]) -> None:
    """Delete or empty the rows, by a join on their own values: a predicate that named the person would stand in the table's log."""
    columns = emptied(table)
    then = "UPDATE SET " + ", ".join(f"t.`{name}` = NULL" for name in columns) if columns else "DELETE"
    _merge(spark, table_uri(table), told(table), known, then)


def _take_aside(spark: SparkSession, name: str, known: set[str]) -> None:
    for uri, columns in _aside(name):
        _merge(spark, uri, columns, known, "DELETE")


def _aside(name: str) -> Iterator[tuple[str, list[str]]]:
    """What was held back of a table, and what became of such rows: where there is some, and the columns that quote them."""
    for uri, columns in ((quarantine_uri(name), ["row"]), (handled_uri(name), ["row", "corrected"])):
        if DeltaLog(uri).version is not None:
            yield uri, columns


def _merge(spark: SparkSession, uri: str, columns: list[str], known: set[str], then: str) -> None:
    _rows(_frame(spark, uri), columns, known).select(*columns).distinct().createOrReplaceTempView("erased_person")
    on = " AND ".join(f"t.`{c}` <=> s.`{c}`" for c in columns)
    spark.sql(f"MERGE INTO delta.`{uri}` t USING erased_person s ON {on} WHEN MATCHED THEN {then}").collect()
