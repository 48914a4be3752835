"""What is loaded: types, hidden rows, keys; what cannot be shown is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pyarrow as pa
import pytest

from lakehouse.declare import Column
from lakehouse.warehouse import publish
from lakehouse.warehouse.lake import Unreadable
from lakehouse.warehouse.load import LoadFailed
from lakehouse.warehouse.publish import PublicationRefused
from tests.warehouse import star
from tests.warehouse.server import Server
from tests.warehouse.showing import NUMBER, rows, show, things
from tests.warehouse.star import Version, write

pytestmark = pytest.mark.integration


def test_every_type_arrives_as_what_it_is(warehouse: Server) -> None:
    types = things(
        NUMBER,
        Column("money", "decimal(12,2)", "Exact."),
        Column("at", "timestamp", "A moment, UTC."),
        Column("day", "date", "A day."),
        Column("is_on", "boolean", "Or not."),
        Column("share", "double", "Between 0 and 1."),
        Column("tags", "array<string>", "Words."),
        Column("prices", "array<decimal(12,2)>", "Exact ones."),
        Column("place", "struct<city:string,zip:string>", "Where."),
        Column("counts", "map<string,bigint>", "By word."),
        Column("picture", "binary", "Bytes."),
    )
    full = {
        "number": 2**62, "money": Decimal("-9999999999.99"), "at": datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
        "day": date(1, 1, 1), "is_on": True, "share": 0.1, "tags": ["a", None, 'quote " and \\'],
        "prices": [Decimal("0.10"), Decimal("0.20")], "place": {"city": "Köln", "zip": None},
        "counts": [("a", 1)], "picture": b"\x00\xff",
    }  # fmt: skip
    show(types, [full, {"number": 0}])
    assert rows(warehouse, "SELECT * FROM marts.dim_thing ORDER BY number DESC") == [
        tuple((full | {"counts": {"a": 1}}).values()),
        (0, *[None] * 10),
    ]
    kinds = rows(
        warehouse,
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'marts.dim_thing'::regclass"
        " AND attnum > 0 ORDER BY attnum",
    )
    assert [kind for (kind,) in kinds] == [
        "bigint", "numeric(12,2)", "timestamp with time zone", "date", "boolean", "double precision", "text[]",
        "numeric(12,2)[]", "jsonb", "jsonb", "bytea",
    ]  # fmt: skip


def test_hidden_columns_and_deleted_rows_stay_in_the_lake(warehouse: Server) -> None:
    table = things()
    version = write(
        table,
        [
            {"number": 1, "name": "lives", "_deleted": False, "_sequence": 1},
            {"number": 2, "name": "lived", "_deleted": True, "_sequence": 2},
            {"number": 3, "name": "never marked", "_deleted": None, "_sequence": 3},
        ],
        hidden={"_deleted": pa.bool_(), "_sequence": pa.int64()},
    )
    publish(star.star(table), {"dim_thing": version}, "run")
    assert rows(warehouse, "SELECT * FROM marts.dim_thing ORDER BY number") == [(1, "lives"), (3, "never marked")]


def test_a_partitioned_table_comes_with_its_partition_columns(warehouse: Server) -> None:
    table = things()
    version = write(
        table,
        [{"number": 1, "name": "a b/c=%"}, {"number": 2, "name": None}, {"number": 3, "name": "plain"}],
        partition_by=["name"],
    )
    publish(star.star(table), {"dim_thing": version}, "run")
    assert rows(warehouse, "SELECT * FROM marts.dim_thing ORDER BY number") == [
        (1, "a b/c=%"),
        (2, None),
        (3, "plain"),
    ]


def test_an_empty_table_is_shown_empty(warehouse: Server) -> None:
    show(things(), [])
    assert rows(warehouse, "SELECT count(*) FROM marts.dim_thing") == [(0,)]


def test_a_nul_character_is_named_with_table_column_and_key(warehouse: Server) -> None:
    with pytest.raises(LoadFailed, match=r"dim_thing version 0, column 'name', key \{'number': 7\}.*NUL"):
        show(things(), [{"number": 6, "name": "fine"}, {"number": 7, "name": "not\x00fine"}])
    assert rows(warehouse, "SELECT count(*) FROM pg_tables WHERE schemaname = 'staging'") == [(0,)]


def test_a_repeated_or_missing_key_is_refused_and_the_old_rows_stay(warehouse: Server) -> None:
    show(things(), [{"number": 1, "name": "right"}])
    with pytest.raises(LoadFailed, match=r"dim_thing version 1.*unique.*\(number\)=\(2\) is duplicated"):
        show(things(), [{"number": 2, "name": "once"}, {"number": 2, "name": "twice"}])
    with pytest.raises(LoadFailed, match=r"dim_thing version 2.*null value in column \"number\""):
        show(things(), [{"number": None, "name": "nobody"}])
    assert rows(warehouse, "SELECT * FROM marts.dim_thing") == [(1, "right")]


def test_a_declaration_newer_than_the_data_is_refused(warehouse: Server) -> None:
    version = write(things(), [{"number": 1, "name": "x"}])
    more = things(NUMBER, Column("name", "int", "Now a number."), Column("size", "int", "New."))
    with pytest.raises(Unreadable, match=r"'name' is declared .* integer, .* string; column 'size' is declared but"):
        publish(star.star(more), {"dim_thing": version}, "run")


def test_a_version_or_a_table_that_is_not_there_is_refused(warehouse: Server) -> None:
    version = write(things(), [{"number": 1, "name": "x"}])
    graph = star.star(things(), things(name="dim_nowhere"))
    with pytest.raises(Unreadable, match="cannot be opened at this version"):
        publish(graph, {"dim_thing": Version(version.id, 99)}, "run")
    with pytest.raises(Unreadable, match="made anew"):
        publish(graph, {"dim_thing": Version("another", 0)}, "run")
    with pytest.raises(Unreadable, match="no such Delta table"):
        publish(graph, {"dim_nowhere": Version("x", 0)}, "run")
    with pytest.raises(PublicationRefused, match=r"Given: orders; published are: dim_"):
        publish(graph, {"orders": Version("x", 0)}, "run")


def test_a_table_with_deletion_vectors_is_refused(warehouse: Server) -> None:
    table = things()
    version = write(table, [{"number": 1, "name": "x"}])
    from deltalake import DeltaTable, TableFeatures

    from lakehouse.settings import settings
    from lakehouse.warehouse.lake import storage_options

    delta = DeltaTable(f"{settings().lake}/gold/dim_thing", storage_options=storage_options())
    delta.alter.add_feature(TableFeatures.DeletionVectors, allow_protocol_versions_increase=True)
    with pytest.raises(Unreadable, match=r"deletionVectors.*would misread"):
        publish(star.star(table), {"dim_thing": Version(version.id, delta.version())}, "run")


def test_what_spark_wrote_arrives_as_spark_shows_it(warehouse: Server) -> None:
    from lakehouse.delta.location import table_uri
    from lakehouse.delta.session import open_session

    table = things(
        NUMBER, Column("at", "timestamp", "A moment."), Column("money", "decimal(12,2)", "Exact."), Column("small", "tinyint", "Tiny."),
        Column("tags", "array<string>", "Words."), Column("place", "struct<city:string,zip:string>", "Where."),
    )  # fmt: skip
    with open_session() as spark:
        spark.sql(
            f"""CREATE TABLE delta.`{table_uri(table)}` USING delta
                TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = 'false') AS
                SELECT 1L AS number, timestamp'9999-12-31 23:59:59.999999' AS at, CAST(1.20 AS decimal(12,2)) AS money,
                       CAST(7 AS tinyint) AS small, array('a', 'b') AS tags, named_struct('city', 'Köln', 'zip', '1') AS place
                UNION ALL SELECT 2L, timestamp'1500-01-01 00:00:00', NULL, NULL, NULL, NULL"""
        )
        spark.sql(f"UPDATE delta.`{table_uri(table)}` SET money = 3.40 WHERE number = 2")
    report = publish(star.star(table), {"dim_thing": star.newest(table)}, "run")
    assert report.rows_loaded == 2
    with psycopg.connect(warehouse.url("analyst"), options="-c timezone=UTC") as connection:
        assert connection.execute("SELECT number, at::text, money, small, tags, place FROM marts.dim_thing ORDER BY number").fetchall() == [
            (1, "9999-12-31 23:59:59.999999+00", Decimal("1.20"), 7, ["a", "b"], {"city": "Köln", "zip": "1"}),
            (2, "1500-01-01 00:00:00+00", Decimal("3.40"), None, None, None),
        ]
