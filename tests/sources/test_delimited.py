"""Delimited text: every field in its place, every quote closed, nothing guessed."""

import csv
import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.declare import Csv
from lakehouse.sources.read import read_object, unknown_columns


def read(content, columns=("id", "name", "price"), source=None, name="retail/x.csv", **options):
    content = content.encode() if isinstance(content, str) else content
    return list(read_object(source or Csv("retail"), columns, lambda: io.BytesIO(content), name, **options))


def rows(content, columns=("id", "name", "price"), **options):
    found = [row for batch in read(content, columns, **options) for row in batch.to_pylist()]
    return sorted(found, key=lambda r: r["_line"])


def values(content, **options):
    found = rows(content, **options)
    assert [r["_error"] for r in found] == [None] * len(found)
    return [(r["c0"], r["c1"], r["c2"]) for r in found]


def errors(content, **options):
    return [(r["_line"], r["_error"]) for r in rows(content, **options) if r["_error"]]


def test_fields_are_found_by_the_headers_names_in_any_order():
    assert values("price,id,name\n1.50,7,Lamp\n") == [("7", "Lamp", "1.50")]


def test_an_empty_field_is_null_and_a_quoted_empty_one_is_empty_text():
    assert values('id,name,price\n1,,\n2,"",3') == [("1", None, None), ("2", "", "3")]


def test_quoted_fields_hold_delimiters_quotes_and_line_ends():
    content = 'id,name,price\r\n1,"a, ""b""\r\nc",2\r\n3,"",4\r\n'
    assert values(content) == [("1", 'a, "b"\r\nc', "2"), ("3", "", "4")]
    assert [r["_line"] for r in rows(content)] == [2, 4]


def test_blanks_belong_to_the_value():
    assert values("id,name,price\n1, a ,2") == [("1", " a ", "2")]


def test_the_mark_of_utf8_is_no_part_of_the_first_name():
    assert values("\ufeffid,name,price\n1,a,2") == [("1", "a", "2")]


def test_a_header_alone_is_no_row_and_no_error():
    assert rows("id,name,price\n") == []


def test_another_delimiter_and_encoding_are_declared():
    source = Csv("crm", delimiter=";", encoding="cp1252")
    assert values("id;name;price\n1;Käse, 5 €;2".encode("cp1252"), source=source) == [("1", "Käse, 5 €", "2")]


def test_new_columns_are_reported_and_stop_nothing():
    batch = read("id,name,price,colour\n1,a,2,red")[-1]
    assert unknown_columns(batch) == ["colour"] and batch.column("_error").null_count == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,a", "too few fields: 2, the header has 3"),
        ("1,a,2,3", "too many fields: 4, the header has 3"),
        ('1,a"b,2', "a quote inside field 2, which does not begin with one"),
        ('1,"a"b,2', "text after the closing quote of field 2"),
        ('1,"a" ,2', "text after the closing quote of field 2"),
        ("1,a\0,2", "a NUL character"),
    ],
)
def test_a_broken_line_is_refused_and_the_rest_goes_on(line, reason):
    found = rows(f"id,name,price\n0,z,9\n{line}\n3,c,4\n")
    assert [(r["_line"], r["_error"] is None) for r in found] == [(2, True), (3, False), (4, True)]
    assert reason in found[1]["_error"] and found[1]["c0"] is None
    assert found[1]["_raw"] == line.replace("\0", "␀")


def test_bytes_that_are_no_utf8_are_refused_not_replaced():
    assert errors(b"id,name,price\n1,caf\xe9,2\n3,b,4") == [(2, "no UTF-8 at byte 6 of the line")]


def test_a_quote_never_closed_loses_no_line_unseen():
    found = rows('id,name,price\n1,a,2\n3,"b,4\n5,c,6\n7,d,8\n')
    assert [(r["_line"], r["_error"]) for r in found] == [
        (2, None), *[(n, "a quote opened in line 3 is never closed") for n in (3, 4, 5)],
    ]  # fmt: skip


def test_a_stray_quote_that_meets_another_makes_no_row_out_of_text():
    found = errors('id,name,price\n1,"a,2\n3,b,4\n5,"c",6\n7,d,8\n')
    assert [line for line, _ in found] == [2, 3, 4]
    assert "in the record of lines 2–4" in found[0][1]


def test_a_field_open_for_more_than_a_megabyte_ends_the_reading_line_by_line(monkeypatch):
    monkeypatch.setattr("lakehouse.sources.delimited.RECORD_LIMIT", 1000)
    lines = ['1,"a,2'] + ["3,b,4"] * 500
    found = errors("id,name,price\n" + "\n".join(lines) + '\n5,"c",6')
    assert len(found) == 502 and "is not closed within" in found[-1][1]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("id,name\n1,a", ["lacks price", "Received: id, name", "Valid: id, name, price"]),
        ("id,Name,price\n1,a,2", ["'Name' is spelled otherwise than the declared 'name'"]),
        ("id,name,price,id\n1,a,2,3", ["names 'id' more than once"]),
        ("", ["the object is empty: a header is expected"]),
        ('id,"name,price\n1,a,2', ["the header cannot be read", "never closed"]),
        (b"id,n\xe4me,price\n1,a,2", ["the header cannot be read: no UTF-8"]),
        ("id,name,price".encode("utf-16"), ["UTF-16"]),
    ],
)  # fmt: skip
def test_a_header_that_does_not_fit_refuses_the_whole_object(content, parts):
    (row,) = rows(content)
    assert row["_line"] == 0 and all(part in row["_error"] for part in parts), row["_error"]


def test_an_encoding_nobody_knows_or_that_says_too_little_is_refused():
    (row,) = rows("id", source=Csv("crm", encoding="utf-99"))
    assert "encoding='utf-99' is none. Valid: utf-8" in row["_error"]
    (row,) = rows("id".encode("utf-16-le"), source=Csv("crm", encoding="utf-16"))
    assert 'Declare encoding="utf-16-le"' in row["_error"]


text = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=0, max_size=8)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(text, text, text), max_size=8))
def test_whatever_a_careful_writer_quotes_comes_back(records):
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("id", "name", "price"), *records])
    assert values(written.getvalue()) == records


def test_a_real_file_is_read_to_its_last_line(shared_data):
    retail = shared_data / "online_retail" / "online_retail.csv.gz"
    names = (
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    )
    count = errors = no_customer = 0
    for batch in read_object(Csv("retail"), names, lambda: retail.open("rb"), retail.name):
        count += batch.num_rows
        errors += batch.num_rows - batch.column("_error").null_count
        no_customer += batch.column("c6").null_count
    assert (count, errors, no_customer) == (541_909, 0, 135_080)


def test_reading_a_large_archive_keeps_one_chunk_at_a_time():
    line = "1,a,2\n"
    packed = gzip.compress(("id,name,price\n" + line * 100_000).encode())
    sizes = [b.num_rows for b in read(packed, name="x.csv.gz", chunk_rows=1_000)]
    assert sizes == [1_000] * 100


def test_a_record_of_many_quoted_lines_is_read_in_one_pass():
    middle = '",x,"\r\n' * 3_000
    found = rows(f'id,name,price\n"{middle}"\n1,a,2\n')
    assert found[-1]["c0"] == "1" and "too many fields" in found[0]["_error"]
    doubled = '""\n' * 100_000
    assert values(f'id,name,price\n1,"{doubled}",2\n')[0][1] == '"\n' * 100_000


def test_an_unreadable_line_inside_a_quote_spoils_its_record_and_no_other():
    found = rows(b'id,name,price\n1,"a\ncaf\xe9\n7,8,9\nb",2\n3,c,4\n')
    assert [(r["_line"], r["_error"] is None) for r in found] == [
        (2, False), (3, False), (4, False), (5, False), (6, True),
    ]  # fmt: skip
    assert "no UTF-8 at byte 4 of the line, in line 3" in found[0]["_error"]
