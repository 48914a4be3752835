"""Types narrowed where all values allow it, and memory that does not grow with the file."""

import io
import os

import pytest

from lakehouse.declare import Csv
from lakehouse.sources.kinds import integer_type
from lakehouse.sources.narrow import narrowed
from lakehouse.sources.read import read_object
from tests.bench import reading


def table(content, names, chunk_rows=2):
    return narrowed(lambda: read_object(Csv("x"), names, lambda: io.BytesIO(content.encode()), "x", chunk_rows), names).table()


def test_each_column_gets_the_smallest_type_that_holds_all_its_values():
    lines = [f"{n % 100},{n * 1000},{n}.5,2026-01-01,true,word,{n:03d}" for n in range(1, 50)]
    found = table("a,b,c,d,e,f,g\n" + "\n".join(lines), tuple("abcdefg"), 1000)
    assert [str(t).split("<")[0] for t in found.schema.types] == ["int8", "int32", "double", "date32[day]", "bool", "dictionary", "string"]


def test_what_turns_out_to_be_text_later_is_text_as_it_was_written():
    found = table("a,b,c\n1,1.50,true\n2,2.25,false\n007,x,maybe\n", ("a", "b", "c"))
    assert found.to_pylist() == [
        {"a": "1", "b": "1.50", "c": "true"}, {"a": "2", "b": "2.25", "c": "false"}, {"a": "007", "b": "x", "c": "maybe"},
    ]  # fmt: skip


def test_numbers_grow_with_what_is_met():
    found = table("a,b\n1,1\n2,2\n70000,2.5\n-9000000000,\n", ("a", "b"))
    assert found.to_pydict() == {"a": [1, 2, 70000, -9000000000], "b": [1.0, 2.0, 2.5, None]}
    assert (integer_type(-128, 127), integer_type(-129, 0), integer_type(0, 2**31)) == ("tinyint", "smallint", "bigint")


def test_a_file_ten_times_as_long_takes_no_more_memory(tmp_path):
    short, long = reading.peaks(tmp_path, (10_000, 100_000))
    assert long <= short * 1.2, (short, long)
    assert long <= 50, long


@pytest.mark.prove
def test_five_million_rows_take_no_more_memory_than_half_a_million(tmp_path):
    if os.environ.get("LAKEHOUSE_PROVE") != "full":
        pytest.skip("the full size runs under `make prove`")
    short, long = reading.peaks(tmp_path, (500_000, 5_000_000))
    print(f"\npeak beyond imports: 500,000 rows {short:.1f} MB, 5,000,000 rows {long:.1f} MB, ratio {long / short:.3f}")
    assert long <= short * 1.2
