"""Nothing lost, nothing twice: every object's lines accounted for, restated, corrected; what drifts is said."""

from __future__ import annotations

import gzip
import json
import os
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse import storage
from lakehouse.delta.location import handled_uri, quarantine_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.graph import Graph, load
from lakehouse.run import Report, Stopped, received, run_table
from lakehouse.run.accounts import DUPLICATES, PUBLISHED, QUARANTINED, RECEIVED
from lakehouse.run.ledger import taken_so_far
from lakehouse.settings import Settings, settings
from tests.cli.lakehouse_command import lakehouse_here
from tests.graph.package import write

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
HEADER = "id,name,price\n"
COLUMNS = 'Column("id", "string", "Number."), Column("name", "string", "Who."), Column("price", "decimal(9,2)", "Money.")'


def bronze(columns: str = COLUMNS, source: str = 'Csv("crm/orders")', more: str = "") -> dict[str, str]:
    return {
        "bronze/crm__orders.py": f"""
from lakehouse.declare import *
from lakehouse.declare import Drift


@table(source={source}, owner="tests", columns=[{columns}]{more})
def crm__orders(landed: Landed):
    "Orders as dropped in."
    return landed
""",
        "silver/orders.py": f"""
@table(key="id", owner="tests", columns=[{COLUMNS}])
def orders(crm__orders: Touched["id"]) -> SQL:
    "One row per order."
    return "SELECT id, max(name) AS name, max(price) AS price FROM crm__orders GROUP BY id"
""",
    }


class Place:
    """A landing and a lake of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.graph: Graph = self.declare()

    def declare(self, **how: str) -> Graph:
        folder = self.folder / uuid.uuid4().hex[:6]
        folder.mkdir()
        self.jobs = write(folder, bronze(**how))
        self.graph = load(self.jobs)
        return self.graph

    def lakehouse(self, *words: str) -> Any:
        """A command, whose answer is JSON."""
        done = lakehouse_here(*words, "--format", "json", jobs=self.jobs, home=settings().home)
        if done.returncode:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    def refused(self, *words: str) -> str:
        done = lakehouse_here(*words, jobs=self.jobs, home=settings().home)
        assert done.returncode == 1 and done.stdout == ""
        return done.stderr

    def drop(self, name: str, content: str | bytes) -> None:
        storage.put(f"{settings().landing}/crm/orders/{name}", content.encode() if isinstance(content, str) else content)

    def run(self, name: str = "crm__orders") -> Report:
        return run_table(self.graph, name, record=False)

    def rows(self, name: str = "crm__orders", *columns: str) -> list[tuple[Any, ...]]:
        return contents(table_uri(self.graph[name]), *(columns or ("id", "name", "price")))

    def accounts(self) -> dict[str, list[Any]]:
        table = self.graph["crm__orders"]
        found = taken_so_far(table, DeltaLog(table_uri(table)))[1]
        assert all(a[RECEIVED] == a[PUBLISHED] + a[DUPLICATES] + a[QUARANTINED] for a in found.values())
        return {n.rsplit("/", 1)[1]: a for n, a in found.items()}

    def held(self) -> list[tuple[Any, ...]]:
        return contents(quarantine_uri("crm__orders"), "source_file", "line", "reason")

    def handled(self) -> list[tuple[Any, ...]]:
        return contents(handled_uri("crm__orders"), "action", "handled_by", "line")


def contents(uri: str, *columns: str) -> list[tuple[Any, ...]]:
    from lakehouse.cli.lake import dataset

    return sorted(tuple(str(v) for v in r.values()) for r in dataset(uri).to_table(columns=list(columns)).to_pylist())


@pytest.fixture
def place(stack: Settings, tmp_path: Path) -> Iterator[Place]:
    name = f"_accounts_{uuid.uuid4().hex[:8]}"
    given = {"LAKEHOUSE_LAKE": f"s3a://lake/{name}", "LAKEHOUSE_LANDING": f"s3://landing/{name}"}
    os.environ |= given
    settings.cache_clear()
    yield Place(tmp_path)
    for address in (settings().lake, settings().landing):
        storage.delete_prefix(f"{address}/")
    for key in given:
        del os.environ[key]
    settings.cache_clear()


@pytest.mark.parametrize("where", ["here", "on workers"])
def test_what_is_received_is_published_or_held_or_a_duplicate(place: Place, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if where == "on workers":
        monkeypatch.setattr(received, "FEW_BYTES", -1)
    place.drop("a.csv", HEADER + "1,ann,1.00\n2,bob,two\n3,cid\n4,dee,4.00\n")
    place.drop("b.csv.gz", gzip.compress((HEADER + "5,eve,5.00\n").encode())[:-4])
    place.drop("c.csv", HEADER + "6,fay,6.00\n7,gus,7.00\n")
    first = place.run()
    assert (first.received, first.rows_written, first.rows_quarantined) == (7, 4, 3)
    assert first.reasons["price: 'two' is no decimal(9,2)"] == 1
    place.drop("c again.csv.gz", gzip.compress((HEADER + "6,fay,6.00\n7,gus,7.00\n").encode()))
    again = place.run()
    assert (again.received, again.rows_written, again.duplicates) == (2, 0, 1)
    assert place.accounts() == {"a.csv": [4, 2, 0, 2], "b.csv.gz": [1, 0, 0, 1], "c.csv": [2, 2, 0, 0], "c again.csv.gz": [2, 0, 2, 0]}
    if where == "on workers":
        row = next(r for r in place.lakehouse("quarantine", "show", "crm__orders") if r["line"] == 4)
        done = place.lakehouse("quarantine", "fix", "crm__orders", "--id", row["id"], "--row", "3,cid,3.00")
        assert (done["landed"], place.accounts()["a.csv"]) == (1, [4, 3, 0, 1])


def test_an_object_replaced_under_its_name_is_restated_in_one_commit(place: Place) -> None:
    place.drop("a.csv", HEADER + "1,ann,1.00\n2,bob,2.00\n3,cid,bad\n")
    place.drop("b.csv", HEADER + "9,zoe,9.00\n")
    place.run()
    assert place.run("orders").rows == 3
    before = DeltaLog(table_uri(place.graph["crm__orders"])).version
    place.drop("a.csv", HEADER + "1,ann,1.00\n2,bob,2.50\n4,dee,4.00\n5,eve,5.00\n")
    place.drop("c.csv", HEADER + "7,gus,7.00\n")
    report = place.run()
    assert report.reason == "1 new objects, 1 restated" and report.rows == 6
    assert DeltaLog(table_uri(place.graph["crm__orders"])).version == (before or 0) + 1
    assert place.rows() == [
        ("1", "ann", "1.00"), ("2", "bob", "2.50"), ("4", "dee", "4.00"), ("5", "eve", "5.00"), ("7", "gus", "7.00"), ("9", "zoe", "9.00"),
    ]  # fmt: skip
    assert place.held() == [] and place.handled() == [("restated", "a new delivery", "4")]
    silver = place.run("orders")
    assert (silver.rows, silver.rows_written, silver.rows_deleted) == (6, 4, 0)
    assert place.run().state == "up to date"


def test_an_object_uploaded_again_counts_once_and_one_freed_by_a_restatement_comes_in(place: Place) -> None:
    place.declare(more=', partitioned_by="name"')
    place.drop("a.csv", HEADER + "1,ann,1.00\n")
    place.run()
    place.drop("b.csv", HEADER + "1,ann,1.00\n")
    assert place.run().rows_written == 0
    place.drop("a.csv", HEADER + "2,bob,2.00\n")
    place.run()
    assert place.rows() == [("1", "ann", "1.00"), ("2", "bob", "2.00")]
    place.drop("a.csv.gz", gzip.compress((HEADER + "3,cid,3.00\n").encode(), mtime=1))
    place.run()
    place.drop("a.csv.gz", gzip.compress((HEADER + "3,cid,3.00\n").encode(), 1, mtime=2))
    assert place.run().reason == "0 new objects, 1 uploaded again"
    assert len(place.rows()) == 3 and place.accounts()["a.csv.gz"] == [1, 1, 0, 0]
    folders = {o.uri.split("/")[-2] for o in storage.list_objects(f"{table_uri(place.graph['crm__orders'])}/name=")}
    assert folders == {"name=ann", "name=bob", "name=cid"}


def test_a_new_column_is_reported_and_taken_from_what_landed_once_the_contract_names_it(place: Place) -> None:
    place.drop("a.csv", HEADER + "1,ann,1.00\n")
    place.drop("b.csv", "id,name,price,colour\n2,bob,2.00,red\n")
    report = place.run()
    assert report.warnings == ["new column 'colour' is in no contract and left out of the table (crm/orders/b.csv)"]
    place.declare(columns=COLUMNS + ', Column("colour", "string", "Of it.")', source='Csv("crm/orders", drift=Drift(missing="accept"))')
    assert place.run().reason == "0 new objects, 1 restated"
    assert place.rows("crm__orders", "id", "colour") == [("1", "None"), ("2", "red")]
    place.drop("c.csv", HEADER + "3,cid,3.00\n")
    assert place.run().warnings == ["column 'colour' was not received: null (crm/orders/c.csv)"]


@pytest.mark.parametrize(
    ("content", "drift", "said"),
    [
        ("id,name\n1,ann\n", "missing", "the header lacks price"),
        ("id,Name,price\n1,ann,1.00\n", "respelled", "'Name' is spelled otherwise"),
        (HEADER + "1,ann,one\n2,bob,2.00\n", "retyped", "price: 'one' is no decimal(9,2)"),
    ],
)
def test_drift_stops_the_run_where_the_contract_says_so(place: Place, content: str, drift: str, said: str) -> None:
    place.declare(source=f'Csv("crm/orders", drift=Drift({drift}="stop"))')
    place.drop("good.csv", HEADER + "9,zoe,9.00\n")
    place.run()
    place.drop("bad.csv", content)
    with pytest.raises(Stopped, match="does not fit the contract any more") as stopped:
        place.run()
    assert said in str(stopped.value) and place.rows() == [("9", "zoe", "9.00")]




def test_a_corrected_row_passes_the_same_rules_and_lands_once(place: Place, tmp_path: Path) -> None:
    place.drop("a.csv", HEADER + "1,ann,1.00\n2,bob,two\n3,cid\n4,dee,4.005\n")
    place.run()
    held = place.lakehouse("quarantine", "show", "crm__orders")
    assert [(h["line"], h["row"]) for h in sorted(held, key=lambda h: h["line"])] == [
        (3, '{"id":"2","name":"bob","price":"two"}'), (4, "3,cid"), (5, '{"id":"4","name":"dee","price":"4.005"}'),
    ]  # fmt: skip
    for each in held:
        each["row"] = each["row"].replace("two", "2.00").replace("3,cid", '3,"cid, jr",3.00')
    edited = tmp_path / "edited.json"
    edited.write_text(json.dumps(held))
    done = place.lakehouse("quarantine", "fix", "crm__orders", str(edited), "--by", "gina")
    assert (done["sent"], done["landed"], done["held_again"]) == (2, 2, 0)
    assert place.rows() == [("1", "ann", "1.00"), ("2", "bob", "2.00"), ("3", "cid, jr", "3.00")]
    assert place.accounts()["a.csv"] == [4, 3, 0, 1]
    assert place.handled() == [("corrected", "gina", "3"), ("corrected", "gina", "4")]
    assert "is no row in this quarantine" in place.refused("quarantine", "fix", "crm__orders", str(edited))
    (row,) = place.lakehouse("quarantine", "show", "crm__orders")
    again = place.lakehouse("quarantine", "fix", "crm__orders", "--id", row["id"], "--row", "4,dee,still no price")
    assert (again["landed"], again["held_again"]) == (0, 1)
    (row,) = place.lakehouse("quarantine", "show", "crm__orders")
    assert row["reason"] == "price: 'still no price' is no decimal(9,2)" and row["line"] == 5
    assert "too few fields: 1, the header has 3" in place.refused("quarantine", "fix", "crm__orders", "--id", row["id"], "--row", "4")
    shown = place.lakehouse("show", "crm__orders")["accounts"]
    assert (shown["received"], shown["published"], shown["duplicates"], shown["quarantined"]) == (4, 3, 0, 1)
    assert list(shown["waiting"].values()) == [1]
    place.drop("a.csv", HEADER + "1,ann,1.00\n2,bob,2.00\n")  # the deliverer's own correction takes the place of all of it
    place.run()
    assert place.rows() == [("1", "ann", "1.00"), ("2", "bob", "2.00")] and place.held() == []


def test_rows_are_sent_again_when_the_contract_fits_and_given_up_when_nobody_wants_them(place: Place) -> None:
    place.drop("a.csv", "id,name,prize\n1,ann,1.00\n")
    place.drop("b.csv", HEADER + "2,bob,2.00\n3,cid\n")
    place.run()
    assert place.held() == [
        ("crm/orders/a.csv", "0", "the header lacks price. Received: id, name, prize. Valid: id, name, price."),
        ("crm/orders/b.csv", "3", "too few fields: 2, the header has 3"),
    ]  # fmt: skip
    place.declare(source='Csv("crm/orders", drift=Drift(missing="accept"))')
    done = place.lakehouse("quarantine", "replay", "crm__orders", "--reason", "the header lacks", "--by", "gina")
    assert (done["sent"], done["landed"]) == (1, 1) and place.rows() == [("1", "ann", "None"), ("2", "bob", "2.00")]
    expire = ("quarantine", "expire", "crm__orders", "--why", "the till was broken", "--by", "gina", "--older-than")
    assert lakehouse_here(*expire, "90", jobs=place.jobs, home=settings().home).stdout == "crm__orders: 0 rows given up\n"
    assert lakehouse_here(*expire, "0", jobs=place.jobs, home=settings().home).stdout == "crm__orders: 1 rows given up\n"
    assert place.held() == [] and place.handled() == [("expired", "gina", "3"), ("restated", "gina", "0")]
    (given_up, _) = sorted(place.lakehouse("quarantine", "history", "crm__orders"), key=lambda r: r["action"])
    assert (given_up["corrected"], given_up["row"]) == ("the till was broken", "3,cid")
    assert "its rows return by themselves" in place.refused("quarantine", "expire", "orders", "--why", "x", "--older-than", "0")


TYPED = {
    "amount": ("decimal(9,2)", ["1.10", "-7", "1e2"], ["1.239", "12345678.00", "1,10", "abc", "0.001"]),
    "born": ("date", ["2026-11-22", "2026-1-5"], ["2026", "2026-13-01", "22.11.2026", "2026-02-30", "2026-11-22 10:30:00"]),
    "at": ("timestamp", ["2026-11-22T10:30:00Z", "2026-11-22"], ["10:30", "yesterday", "2026-11-22T25:00:00Z", "2026"]),
    "pieces": ("int", ["7", "-3"], ["1.5", "3000000000", "seven", "1 000"]),
    "share": ("double", ["0.5", "1e-3"], ["NaN", "1d", "Infinity", "half"]),
    "member": ("boolean", ["true", "false"], ["maybe", "2"]),
}


@pytest.mark.prove
def test_a_value_that_does_not_fit_its_type_holds_its_line_back_for_that_reason(place: Place) -> None:
    lines = 10_000 if os.environ.get("LAKEHOUSE_PROVE") == "full" else 600
    typed = ", ".join(f'Column("{n}", "{t}", "As sent.")' for n, (t, _, _) in TYPED.items())
    place.declare(columns=f"{COLUMNS}, {typed}", source='Csv("crm/orders", drift=Drift(missing="accept"))')
    draw = random.Random("types")
    content, expected = [",".join(TYPED)], Counter[str]()
    while expected.total() < lines:
        wrong = draw.choice([*TYPED, ""]) if draw.random() < 0.9 else ""
        values = {n: draw.choice(bad if n == wrong else good) for n, (_, good, bad) in TYPED.items()}
        if wrong:
            expected[f"{wrong}: '{values[wrong]}' is no {TYPED[wrong][0]}"] += 1
        content.append(",".join(f'"{v}"' for v in values.values()))
    place.drop("typed.csv", "\n".join(content))
    report = place.run()
    assert (report.received, report.rows_quarantined) == (len(content) - 1, lines)
    assert Counter(reason for _, _, reason in place.held()) == expected
    (account,) = place.accounts().values()
    assert account == [len(content) - 1, len(content) - 1 - lines, 0, lines]
    print(f"\n{lines:,} values of {len(expected)} kinds that do not fit, each line held back for its reason")
