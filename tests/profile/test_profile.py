"""Profiles: what a person would find out by looking, found out in one pass; and first declarations made from it."""

import gzip
import json
import random
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.cli.profiling import new_source, of_file
from lakehouse.errors import LakehouseError
from lakehouse.graph import load
from lakehouse.profile.columns import pattern_of
from lakehouse.profile.page import page
from lakehouse.profile.personal import likely_personal, sensitivity
from lakehouse.sources.read import read_object
from tests.cli.lakehouse_command import lakehouse_here
from tests.graph.package import write

PEOPLE = "".join(
    f"{n};{'ann' if n % 2 else 'bob'}@example{n}.org;+49 30 {100000 + n};{n % 7};2026-01-{n % 28 + 1:02d};{n / 8:.3f};\n"
    for n in range(1, 301)
)
CRM = "Contact ID;E-Mail;Telefon;visits;Signed Up;Score;Notes\n" + PEOPLE


def columns(file: Path):
    return {c.name: c for c in of_file(file).columns}


def test_types_gaps_distinct_values_and_ranges(tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_text(CRM, encoding="cp1252")
    found = columns(file)
    assert {n: c.type for n, c in found.items()} == {
        "Contact ID": "int", "E-Mail": "string", "Telefon": "string", "visits": "int", "Signed Up": "date", "Score": "decimal(12,3)",
        "Notes": "string",
    }  # fmt: skip
    assert (found["visits"].distinct, found["visits"].least, found["visits"].most) == (7, "0", "6")
    assert (found["Notes"].nulls, found["Notes"].rows) == (300, 300)
    assert [n for n, c in found.items() if c.likely_key] == ["Contact ID", "E-Mail", "Telefon", "Score"]
    assert {n: c.personal for n, c in found.items() if c.personal} == {"Contact ID": "pseudonym", "E-Mail": "e-mail", "Telefon": "phone"}
    assert found["E-Mail"].patterns[0][0] == "a@a999.a" and sum(n for _, n in found["Score"].histogram) == 300


def test_more_values_than_can_be_counted_are_estimated(tmp_path):
    file = tmp_path / "many.csv"
    draw = random.Random(3)
    values = [draw.randrange(10**9) for _ in range(120_000)]
    file.write_text("a,b\n" + "\n".join(f"{v},{n % 3}" for n, v in enumerate(values)))
    found = columns(file)
    assert found["a"].overflown and abs(found["a"].distinct / len(set(values)) - 1) < 0.06
    assert found["b"].distinct == 3 and len(found["a"].sample) == 4_000 and len(found["a"].values) <= 4_000


@pytest.mark.parametrize(
    ("name", "sample", "kind"),
    [
        ("x", ["192.168.0.1", "::1", "10.0.0.7"], "ip"), ("x", ["DE89370400440532013000"] * 3, "account"),
        ("x", ["4111 1111 1111 1111", "5500-0000-0000-0004"], "account"), ("Year_Birth", [str(n) for n in range(1950, 1990)], "birth"),
        ("PhoneService", ["Yes", "No"], ""), ("Gender", ["f", "m"], "gender"), ("CustomerID", ["17850.0"], "pseudonym"),
        ("amount", ["1.10"], ""), ("description", ["a@b", "c"], ""),
    ],
)  # fmt: skip
def test_what_tells_of_a_person_is_noticed(name, sample, kind):
    assert likely_personal(name, sample) == kind
    assert sensitivity(kind) in ("internal", "pseudonym", "personal")


def test_words_are_shown_by_how_they_are_written():
    assert [pattern_of(v) for v in ("AB-1234", "Köln", "2026-11-22", "7590-VHVEG", "123456789")] == [
        "A-9999", "Aa", "9999-99-99", "9999-A", "9…",
    ]  # fmt: skip


def of_every_format(folder):
    """Five rows of two columns in each format that a file may have."""
    rows = [{"id": n, "name": f"n{n}"} for n in range(5)]
    book = openpyxl.Workbook()
    for row in (["id", "name"], *([r["id"], r["name"]] for r in rows)):
        book.active.append(row)
    folder.mkdir(exist_ok=True)
    book.save(folder / "a.xlsx")
    lines = "\n".join(map(json.dumps, rows)).encode()
    (folder / "b.jsonl").write_bytes(lines)
    (folder / "c.json").write_bytes(json.dumps(rows).encode())
    (folder / "d.json.gz").write_bytes(gzip.compress(lines))
    (folder / "e.tsv").write_text("id\tname\n" + "".join(f"{r['id']}\t{r['name']}\n" for r in rows), encoding="utf-16")
    pq.write_table(pa.Table.from_pylist(rows), folder / "f.parquet")
    return sorted(folder.iterdir())


def test_every_format_is_recognised(tmp_path):
    for file in of_every_format(tmp_path):
        found = columns(file)
        assert ([*found], found["id"].type, found["id"].rows) == (["id", "name"], "int", 5), file
    (tmp_path / "g.pdf").touch()
    with pytest.raises(LakehouseError, match=r"unknown ending. Valid: \.csv"):
        of_file(tmp_path / "g.pdf")


def test_a_new_source_of_every_format_reads_the_file_it_was_made_from(tmp_path):
    folder = write(tmp_path / "package", {})
    files = of_every_format(tmp_path / "files")
    for file in files:
        new_source(file, folder, "partner", f"things_{file.name[0]}", "sales")
    graph = load(folder)
    for file in files:
        bronze, silver = graph[f"partner__things_{file.name[0]}"], graph[f"things_{file.name[0]}"]
        batches = [*read_object(bronze.source, [c.received_as for c in bronze.columns], lambda f=file: f.open("rb"), file.name)]
        rows = [row for batch in batches for row in batch.to_pylist()]
        assert [(row["c0"], row["c1"], row["_error"]) for row in rows] == [(str(n), f"n{n}", None) for n in range(5)], file
        assert ([c.type for c in silver.columns][:2], silver.key) == (["int", "string"], ("id",)), file


def test_the_page_holds_everything_and_loads_nothing(tmp_path):
    file = tmp_path / "evil.csv"
    file.write_text(CRM.replace("Notes", "<script>alert(1)</script>").replace(";\n", ";<b>\n", 50) + "1;2\n")
    html = page(of_file(file))
    assert "likely key" in html and "<svg" in html and "1 lines that cannot be read" in html
    assert "<script>" not in html and "<b>" not in html and "http" not in html


def test_the_command_prints_and_writes(tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_text(CRM)
    jobs = write(tmp_path / "package", {})
    done = lakehouse_here("profile", str(file), "--html", str(tmp_path / "p.html"), jobs=jobs, home=tmp_path)
    assert done.returncode == 0 and "contacts.csv: 300 rows, 7 columns" in done.stdout and "key, e-mail" in done.stdout
    assert (tmp_path / "p.html").read_text().startswith("<!doctype html>")
    told = json.loads(lakehouse_here("profile", str(file), "--format", "json", jobs=jobs, home=tmp_path).stdout)
    assert told["columns"][3]["column"] == "visits" and told["columns"][3]["distinct"] == 7


def test_a_new_source_is_two_files_that_load(tmp_path):
    folder = write(tmp_path / "package", {})
    file = tmp_path / "crm" / "Won Deals 2026.csv"
    file.parent.mkdir()
    file.write_text(CRM, encoding="utf-8")
    written = new_source(file, folder, "", "won_deals", "sales")
    assert [p.name for p in written] == ["crm__won_deals.py", "won_deals.py"]
    graph = load(folder)
    bronze, silver = graph["crm__won_deals"], graph["won_deals"]
    assert (bronze.source.prefix, bronze.source.delimiter, bronze.columns[0].received_as) == ("crm/won_deals", ";", "Contact ID")
    assert silver.key == ("contact_id",) and silver.latest_by == "_newest"
    assert {c.name: c.sensitivity for c in silver.columns if c.sensitivity != "internal"} == {
        "contact_id": "pseudonym", "e_mail": "personal", "telefon": "personal",
    }  # fmt: skip
    with pytest.raises(LakehouseError, match="exists already"):
        new_source(file, folder, "", "won_deals", "sales")
    with pytest.raises(LakehouseError, match="is no name"):
        new_source(file, folder, "CRM", "x", "sales")
