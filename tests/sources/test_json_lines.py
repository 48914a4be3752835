"""JSON lines: what is taken as received, and what is refused with a reason instead of being guessed at."""

import gzip
import io

import pytest

from lakehouse.declare import JsonLines
from lakehouse.sources.read import read_object, unknown_columns

COLUMNS = ("event_id", "amount", "details")
GOOD = b'{"event_id": "e1", "amount": 1.10, "details": null}'


def read(content, columns=COLUMNS, name="web/events/2026-11-21T13.jsonl", **options):
    return list(read_object(JsonLines("web/events"), columns, lambda: io.BytesIO(content), name, **options))


def rows(content, **options):
    return [row for batch in read(content, **options) for row in batch.to_pylist()]


def only_error(content, **options):
    (row,) = rows(content, **options)
    return row["_error"]


def test_values_arrive_as_the_text_they_were():
    amount = b"12345678901234567890.123456789012345678901E+2"
    details = b'{"b": [1.50, null, "\\u00fc"]}'
    (row,) = rows(b'{"event_id": true, "amount": %s, "details": %s}' % (amount, details))
    assert row == {
        "c0": "true", "c1": "12345678901234567890.123456789012345678901E+2", "c2": '{"b":[1.50,null,"ü"]}',
        "_line": 1, "_raw": None, "_error": None,
    }  # fmt: skip


def test_absent_and_null_are_both_null_and_empty_text_stays_empty():
    found = rows(b'{"event_id": ""}\n{"event_id": null}')
    assert [r["c0"] for r in found] == ["", None] and [r["c1"] for r in found] == [None, None]


def test_line_numbers_count_blank_lines_and_both_line_ends():
    found = rows(GOOD + b"\r\n\n   \n" + GOOD + b"\n")
    assert [(r["_line"], r["c0"], r["_error"]) for r in found] == [(1, "e1", None), (4, "e1", None)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"event_id": "e1", "event_id": "e2"}', "the key 'event_id' comes twice"),
        (b'{"details": {"a": 1, "a": 2}}', "the key 'a' comes twice"),
        (b'{"event_id": "e1"} trailing', "text after the object at character 19"),
        (b'{"event_id": "e1"}{"event_id": "e2"}', "two objects on one line"),
        (b'{"event_id": "e1"}, {"event_id": "e2"}', "two objects on one line"),
        (b'[{"event_id": "e1"}]', "a JSON list stands where an object is expected"),
        (b"12", "a JSON number stands"),
        (b"null", "a JSON null stands"),
        (b'"text"', "a JSON string stands"),
        (b'{"Event_ID": "e1"}', "'Event_ID' is spelled otherwise than the declared 'event_id'"),
        (b'{"event_id": "e1", "EVENT_ID": "e2"}', "'EVENT_ID' is spelled otherwise"),
        (b'{"event_id": "e\xff1"}', "no UTF-8 at byte 16"),
        (b'{"event_id": "e\\u00001"}', "a NUL character"),
        (b'{"details": ["\\u0000"]}', "a NUL character"),
        (b'{"event_id": "\x00"}', "no JSON: Invalid control character"),
        (b'{"event_id": "\\ud83d"}', "half a surrogate pair"),
        (b'{"\\ud83d": 1, "\\ud83d": 2}', "comes twice"),
        (b'{"amount": NaN}', "NaN is no JSON number"),
        (b'{"amount": -Infinity}', "-Infinity is no JSON number"),
        (b'{"amount": 01}', "no JSON"),
        (b'{"event_id": "cut', "no JSON: Unterminated string"),
        (b'{"event_id": ', "no JSON"),
        (b"{'event_id': 'e1'}", "no JSON"),
        (b'{"details": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    ],
)  # fmt: skip
def test_a_line_that_is_not_one_clean_object_is_refused_and_the_rest_goes_on(line, reason):
    found = {r["_line"]: r for r in rows(GOOD + b"\n" + line + b"\n" + GOOD)}
    assert len(found) == 3 and found[1]["_error"] is None and found[3]["_error"] is None
    refused = found[2]
    assert reason in refused["_error"] and refused["c0"] is None
    assert refused["_raw"] == line.decode(errors="replace").strip().replace("\0", "␀")[:4000]


def test_whole_pairs_of_surrogates_and_other_escapes_are_plain_text():
    (row,) = rows(b'{"event_id": "\\ud83d\\ude00 \\u00e9 \\\\u0000"}')
    assert row["c0"] == "😀 é \\u0000" and row["_error"] is None


def test_unknown_names_are_reported_and_stop_nothing():
    batches = read(GOOD + b'\n{"event_id": "e2", "new_field": 1}\n{"other": 2}', chunk_rows=1)
    assert [b.num_rows for b in batches] == [1, 1, 1]
    assert unknown_columns(batches[-1]) == ["new_field", "other"] and unknown_columns(batches[0]) == []


def test_ever_new_names_cost_bounded_memory():
    lines = b"\n".join(b'{"event_id": "e", "k%d": 1}' % i for i in range(5_000))
    batches = read(lines)
    assert batches[0].num_rows == 5_000 and len(unknown_columns(batches[-1])) == 500


def test_the_mark_of_utf8_at_the_start_is_no_part_of_the_line():
    assert rows(b"\xef\xbb\xbf" + GOOD)[0]["_error"] is None


def test_an_hour_without_events_is_no_row_and_no_error():
    assert rows(b"") == [] and rows(b"\n\n") == []
    assert rows(gzip.compress(b""), name="x.jsonl.gz") == []


def test_gzip_members_one_after_the_other_are_one_object():
    content = gzip.compress(GOOD + b"\n") + gzip.compress(GOOD) + b"\0\0\0"
    assert [r["_line"] for r in rows(content, name="x.jsonl.gz")] == [1, 2]


PACKED = gzip.compress(GOOD, mtime=0)  # the same in every process: names of tests hold it


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (gzip.compress(GOOD * 1000, mtime=0)[:-9], "x.jsonl.gz", "ends too early: the delivery was cut off"),
        (PACKED[:-1], "x.jsonl.gz", "ends too early"),
        (PACKED[:5], "x.jsonl.gz", "ends too early"),
        (b"", "x.jsonl.gz", "is empty: nothing was delivered"),
        (GOOD, "x.jsonl.gz", "is damaged"),
        (PACKED + b"garbage", "x.jsonl.gz", "is damaged"),
        (PACKED[:-6] + b"\1\2" + PACKED[-4:], "x.jsonl.gz", "is damaged"),
        (PACKED, "x.jsonl", "does not end in '.gz'"),
        (GOOD.decode().encode("utf-16"), "x.jsonl", "is UTF-16"),
    ],
)
def test_an_object_that_is_not_whole_gives_its_reason_and_not_one_row(content, name, reason):
    (row,) = rows(content, name=name)
    assert row["_line"] == 0 and reason in row["_error"]
    assert (row["c0"], row["c1"], row["c2"]) == (None, None, None)


def test_a_cut_archive_of_many_rows_gives_none_of_its_first_half():
    whole = gzip.compress(b"\n".join(b'{"event_id": "e%d"}' % i for i in range(200_000)))
    (row,) = rows(whole[: len(whole) // 2], name="x.jsonl.gz", chunk_rows=100)
    assert row["_line"] == 0


def test_a_line_without_end_costs_bounded_memory():
    class Endless(io.RawIOBase):
        left = 600

        def read(self, size=-1):
            self.left -= 1
            return b"x" * size if self.left > 0 else b"\n" + GOOD if self.left == 0 else b""

    batches = list(read_object(JsonLines("web/events"), COLUMNS, Endless, "x.jsonl"))
    (first, second) = [row for batch in batches for row in batch.to_pylist()]
    assert {first["_line"], second["_line"]} == {1, 2}
    assert "longer than 16 MB" in (first["_error"] or second["_error"])


def test_chunks_are_bounded_by_rows_and_by_bytes():
    assert [b.num_rows for b in read(b"\n".join([GOOD] * 25), chunk_rows=10)] == [10, 10, 5]
    fat = b'{"event_id": "' + b"x" * 2_000_000 + b'"}'
    assert max(b.nbytes for b in read(b"\n".join([fat] * 40))) < 60_000_000
