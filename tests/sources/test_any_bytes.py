"""Whatever is delivered: the readers end with rows and reasons, never with a traceback, and account for every line."""

import csv
import gzip
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.declare import ChangeRows, Csv, JsonLines
from lakehouse.sources.read import read_object

CHANGE = b'{"sequence":1,"operation":"upsert","at":"x","row":{"a":1}}'
PIECES = (
    [b'{"a": 1}', b'{"a": "x", "b": null}', CHANGE, b"a,b\n", b"a", b"1e999", b"null", b"NaN", "ü".encode(), b" ", b"\t"],
    [b"{", b"}", b"[", b"]", b'"', b'""', b",", b";", b"\\", b"\\u0000", b"\\ud800", b"\n", b"\r\n", b"\r", b"\0"],
    [b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b"],
)
tokens = st.sampled_from([piece for kind in PIECES for piece in kind])
content = st.lists(tokens, max_size=40).map(b"".join)


def rows(source, body, name="x", **options):
    batches = read_object(source, ("a", "b"), lambda: io.BytesIO(body), name, **options)
    return [row for batch in batches for row in batch.to_pylist()]


@settings(max_examples=80, deadline=None)
@given(content, st.sampled_from(["x", "x.gz"]), st.booleans())
def test_no_content_breaks_a_reader(body, name, packed):
    for source in (JsonLines("x"), ChangeRows("x"), Csv("x"), Csv("x", delimiter=";", encoding="latin-1")):
        for row in rows(source, gzip.compress(body) if packed else body, name, chunk_rows=3):
            assert row["_error"] is None or (row["_error"] and row["c0"] is None and row["_raw"] is not None)


@settings(max_examples=80, deadline=None)
@given(content)
def test_every_line_is_a_row_or_an_error(body):
    found = rows(JsonLines("x"), body)
    if [r["_line"] for r in found] != [0]:
        plain = body.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        written = [n for n, line in enumerate(plain, 1) if line.strip(b" \t\r")]
        assert sorted(r["_line"] for r in found) == written


@settings(max_examples=80, deadline=None)
@given(content)
def test_a_line_taken_as_json_is_json(body):
    for row in rows(JsonLines("x"), body):
        if row["_error"] is None:
            line = body.removeprefix(b"\xef\xbb\xbf").split(b"\n")[row["_line"] - 1]
            value = json.loads(line).get("a")
            assert row["c0"] == (value if isinstance(value, str | None) else json.dumps(value))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(['"', '""', ",", "a", "\n", "b,", '"x"']), max_size=25).map("".join))
def test_text_taken_whole_as_csv_is_read_as_another_strict_reader_reads_it(text):
    found = rows(Csv("x"), ("a,b\n" + text).encode())
    if all(r["_error"] is None for r in found):
        strict = [tuple(r) for r in csv.reader(io.StringIO(text, newline=""), strict=True) if r]
        assert [(r["c0"] or "", r["c1"] or "") for r in found] == strict


@pytest.mark.parametrize("source", [JsonLines("x"), Csv("x"), ChangeRows("x")])
def test_a_store_that_fails_while_reading_is_no_fault_of_the_object(source):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise ConnectionResetError("the store went away")

    with pytest.raises(ConnectionResetError):
        list(read_object(source, ("a",), Broken, "x"))
