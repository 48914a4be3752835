"""Answers as a table, as JSON, as CSV: nothing lost, nothing invented."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

from lakehouse.cli.answers import print_rows

ROW = (None, "", 'a "b"\n[c]', Decimal("12.50"), Decimal("12345678901234567890.12"), date(2026, 11, 21), True, [1, None], float("nan"))
NAMES = ["none", "empty", "text", "money", "large", "day", "yes", "list", "nan"]


def printed(capsys, columns, rows, form):
    print_rows(columns, rows, form)
    return capsys.readouterr().out


def test_json_keeps_every_digit_and_every_null(capsys):
    (row,) = json.loads(printed(capsys, NAMES, [ROW], "json"))
    assert row == {
        "none": None, "empty": "", "text": 'a "b"\n[c]', "money": 12.5, "large": "12345678901234567890.12",
        "day": "2026-11-21", "yes": True, "list": [1, None], "nan": None,
    }  # fmt: skip


def test_two_columns_of_one_name_both_arrive(capsys):
    assert json.loads(printed(capsys, ["a", "a"], [(1, 2)], "json")) == [{"a": 1, "a_2": 2}]


def test_csv_comes_back_as_it_went(capsys):
    names, row = csv.reader(io.StringIO(printed(capsys, NAMES, [ROW], "csv")))
    assert names == NAMES
    assert row == ["", "", 'a "b"\n[c]', "12.50", "12345678901234567890.12", "2026-11-21", "true", "[1, null]", "nan"]


def test_a_table_in_a_pipe_is_never_cut_and_reads_no_markup(capsys):
    long = "x" * 500
    shown = printed(capsys, ["n", "text"], [(1, f"[red]{long}[/red]")], "table")
    assert f"[red]{long}[/red]" in shown


def test_a_null_is_told_from_empty_text_in_a_table(capsys):
    lines = printed(capsys, ["a"], [(None,), ("",)], "table").splitlines()
    assert [line.strip() for line in lines[2:]] == ["∅", ""]


def test_times_say_their_zone(capsys):
    moment = datetime(2026, 11, 21, 13, 5, tzinfo=UTC)
    assert json.loads(printed(capsys, ["at"], [(moment,)], "json")) == [{"at": "2026-11-21T13:05:00+00:00"}]


def test_no_rows_are_an_empty_answer_with_its_columns(capsys):
    assert json.loads(printed(capsys, ["a"], [], "json")) == []
    assert printed(capsys, ["a", "b"], [], "csv") == "a,b\n"
