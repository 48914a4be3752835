"""Workbooks: cells as a person sees them; errors and formulas without result are never taken for nothing."""

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from lakehouse.declare import Drift, Excel
from tests.sources.reading import met, only_error, rows, values


def book(*lines, sheet="Sheet", more=()):
    made = openpyxl.Workbook()
    page = made.active
    page.title = sheet
    for line in lines:
        page.append(line)
    for name in more:
        made.create_sheet(name)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


HEAD = ["id", "name", "price"]


def test_numbers_dates_and_flags_come_as_text_without_loss():
    content = book(HEAD, [1, "a", 1.1], [2.0, datetime(2026, 11, 21, 8, 5), 0.1 + 0.2], [12345678901, date(2026, 11, 21), True])
    assert values(Excel("x"), content) == [
        ("1", "a", "1.1"), ("2", "2026-11-21 08:05:00", "0.3"), ("12345678901", "2026-11-21", "true"),
    ]  # fmt: skip


def test_empty_rows_are_passed_over_and_lines_are_the_sheets_rows():
    found = rows(Excel("x"), book(HEAD, [1, "a", 2], [None, None, None], [3, None, None]))
    assert [(r["_line"], r["c0"], r["c1"]) for r in found] == [(2, "1", "a"), (4, "3", None)]


def test_a_title_above_the_header_and_another_sheet_are_declared():
    content = book(["Sales report"], [], HEAD, [1, "a", 2], sheet="Data", more=["Notes"])
    assert values(Excel("x", sheet="Data", header=3), content) == [("1", "a", "2")]
    assert "has no sheet 'Dta'. Valid: Data, Notes" in only_error(Excel("x", sheet="Dta"), content)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (["#REF!", "a", 1], "column 1 holds the error #REF!"),
        ([1, "=A1+1", 2], "column 2 holds a formula without its result"),
        ([1, "a", 2, "beside"], "too many fields: something stands in column 4, the header has 3"),
    ],
)
def test_a_cell_that_cannot_be_taken_holds_its_row_back(line, reason):
    found = rows(Excel("x"), book(HEAD, [0, "z", 9], line, [3, "c", 4]))
    assert [(r["_line"], r["_error"] is None) for r in found] == [(2, True), (3, False), (4, True)]
    assert reason in found[1]["_error"] and found[1]["_raw"]


def test_a_header_that_does_not_fit_refuses_the_workbook():
    assert "the header lacks price" in only_error(Excel("x"), book(["id", "name"], [1, "a"]))
    assert "'Name' is spelled otherwise" in only_error(Excel("x"), book(["id", "Name", "price"], [1, "a", 2]))
    assert "names 'id' more than once" in only_error(Excel("x"), book(["id", "name", "price", "id"]))


def test_what_may_be_missing_or_respelled_is_taken_and_said():
    source = Excel("x", drift=Drift(missing="accept", respelled="accept"))
    content = book(["ID", "name", "new"], [1, "a", "x"])
    assert values(source, content) == [("1", "a", None)]
    assert met(source, content) == {"unknown": ["new"], "missing": ["price"], "respelled": {"id": "ID"}}


def test_what_is_no_whole_workbook_gives_no_row():
    whole = book(HEAD, *[[n, f"name {n}", n] for n in range(500)])
    assert "old .xls" in only_error(Excel("x"), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100)
    assert "is no workbook" in only_error(Excel("x"), b"id,name,price\n1,a,2\n")
    assert "is damaged" in only_error(Excel("x"), whole[: len(whole) // 2])
    spoiled = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(spoiled, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            new.writestr(member.filename, content[: len(content) // 2] if "sheet1" in member.filename else content)
    found = rows(Excel("x"), spoiled.getvalue())
    assert "is damaged" in found[0]["_error"] and found[0]["_line"] == 0
