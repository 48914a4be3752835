"""Parquet files: every type as text without loss, damaged files not at all."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.declare import Drift, Parquet
from tests.sources.reading import met, only_error, rows, values


def file_of(**columns):
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_values_of_every_type_come_as_text():
    content = file_of(
        id=[1, 2], name=pa.array(["a", "a"]).dictionary_encode(), price=pa.array([Decimal("1.10"), None], pa.decimal128(9, 2)),
        at=pa.array([datetime(2026, 11, 21, 8, 5, 0, 123456, UTC), None]), day=[date(2026, 11, 21), None], rate=[0.1, 1e300],
        tags=[["x", "y"], None], deep=[{"a": 1, "b": None}, None], flag=[True, None], raw=[b"\x01\xff", None],
    )  # fmt: skip
    columns = ("id", "name", "price", "at", "day", "rate", "tags", "deep", "flag", "raw")
    assert values(Parquet("x"), content, columns, "x.parquet")[0] == (
        "1", "a", "1.10", "2026-11-21 08:05:00.123456Z", "2026-11-21", "0.1", '["x","y"]', '{"a":"1","b":null}', "true", '01ff',
    )  # fmt: skip
    assert values(Parquet("x"), content, ("rate", "deep"), "x.parquet")[1] == ("1e+300", None)


def test_a_column_more_is_said_and_one_less_refuses_the_file():
    content = file_of(id=[1], name=["a"], colour=["red"])
    assert "the header lacks price" in only_error(Parquet("x"), content)
    source = Parquet("x", drift=Drift(missing="accept"))
    assert values(source, content) == [("1", "a", None)]
    assert met(source, content)["unknown"] == ["colour"] and met(source, content)["missing"] == ["price"]


def test_a_nul_character_holds_its_row_back():
    found = rows(Parquet("x"), file_of(id=["1", "2"], name=["a\0b", "c"], price=["1", "2"]))
    assert [(r["_line"], r["_error"]) for r in found] == [(1, "a NUL character in the row"), (2, None)]
    assert found[0]["c0"] is None and found[0]["_raw"] == "1\ta␀b\t1"


def test_a_damaged_file_gives_no_row():
    whole = file_of(id=list(range(5_000)), name=[f"n{n}" for n in range(5_000)], price=[1.5] * 5_000)
    for content in (b"", b"id,name", whole[:-20], whole[:2_000] + b"\0" * 50 + whole[2_050:]):
        assert "the Parquet file is damaged" in only_error(Parquet("x"), content)
