"""Whole JSON documents: the list in them record by record, as strictly as lines, however large."""

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.declare import Json
from lakehouse.sources.json_document import rows as document_rows
from lakehouse.sources.received import Names
from tests.sources.reading import met, only_error, rows, values


def test_a_list_and_a_list_within_an_object_are_read():
    records = [{"id": 1, "name": "a,]}", "price": 1.50}, {"price": 2, "id": 2}]
    assert values(Json("x"), json.dumps(records).encode()) == [("1", "a,]}", "1.5"), ("2", None, "2")]
    page = {"paging": {"items": [1, 2]}, "data": {"total": 2, "items": records}, "more": [[], {}]}
    assert values(Json("x", records="data.items"), json.dumps(page, indent=2).encode()) == [("1", "a,]}", "1.5"), ("2", None, "2")]
    assert rows(Json("x"), b" [ ] ") == [] and met(Json("x"), b'[{"id": 1, "extra": 2}]')["unknown"] == ["extra"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"id": 1, "id": 2}', "the key 'id' comes twice"), ("7", "a JSON number stands"), ('["a"]', "a JSON list stands"),
        ('{"ID": 1}', "'ID' is spelled otherwise"), ('{"id": 1} {"id": 2}', "two objects"), ('{"id" 1}', "no JSON"),
        ('{"id": "\\u0000"}', "a NUL character"), ("nul", "no JSON"),
    ],
)  # fmt: skip
def test_a_record_that_is_none_is_held_back_and_the_rest_goes_on(record, reason):
    found = rows(Json("x"), f'[{{"id": 0}}, {record}, {{"id": 3}}]'.encode())
    assert [(r["_line"], r["_error"] is None) for r in found] == [(1, True), (2, False), (3, True)]
    assert reason in found[1]["_error"] and found[1]["_raw"] == record


def test_bytes_that_are_no_utf8_spoil_their_record_only():
    found = rows(Json("x"), b'[{"id": "caf\xe9"}, {"id": "b"}]')
    assert [r["_error"] for r in found] == ["no UTF-8 in the record", None]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"), ('{"data": [{"id": 1}]}', "no list at its top"), ("[1", "ends too early"), ("[,]", "an element is missing"),
        ("[1]]", "text after the document"), ("[1}", "closes nothing"), ("nonsense", "text outside the document"), ('"text"', "is empty"),
    ],
)  # fmt: skip
def test_a_document_that_does_not_hold_together_is_told(content, reason):
    found = rows(Json("x"), content.encode())
    assert reason in found[0]["_error"] and found[0]["_line"] == 0


def test_a_cut_document_gives_no_row():
    cut = json.dumps([{"id": n} for n in range(100)]).encode()[:-10]
    assert "ends too early" in only_error(Json("x"), cut)


def test_a_missing_list_names_where_it_was_looked_for():
    assert "there is no list at 'data.rows'" in only_error(Json("x", records="data.rows"), b'{"data": {"items": []}}')


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
values_of_json = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(values_of_json, max_size=5), st.integers(1, 7))
def test_any_list_in_pieces_of_any_size_gives_each_of_its_elements(elements, size):
    content = json.dumps([{"id": e} for e in elements]).encode()

    def pieces():
        return (content[n : n + size] for n in range(0, len(content), size))

    found = list(document_rows(pieces, Names(("id",)), ""))
    assert [n for n, _ in found] == list(range(1, len(elements) + 1))


def test_a_long_document_is_never_in_memory_as_a_whole():
    def pieces(count):
        yield b"["
        for n in range(count):
            yield b'%s{"id": %d, "name": "%s"}' % (b"," if n else b"", n, b"x" * 1_000)
        yield b"]"

    peaks = []
    for count in (1_000, 10_000):
        tracemalloc.start()
        assert sum(1 for _ in document_rows(lambda count=count: pieces(count), Names(("id", "name")), "")) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2
