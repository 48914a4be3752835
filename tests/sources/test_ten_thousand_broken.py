"""Ten thousand broken lines or files of each format: no crash, every line accounted for, the reason right."""

import os
import random
from collections import Counter

import pytest

from lakehouse.declare import ChangeRows, Csv, Excel, Json, JsonLines, Parquet
from tests.sources.broken import CHANGE_FAULTS, CSV_FAULTS, HEADER, JSON_FAULTS, WHOLE, batch, change, good_csv, good_json, spoiled
from tests.sources.reading import rows

FULL = os.environ.get("LAKEHOUSE_PROVE") == "full"
LINES = 10_000 if FULL else 1_500
FILES = 10_000 if FULL else 120
PER_OBJECT = 500
pytestmark = pytest.mark.prove

FORMATS = {
    "json lines": (JsonLines("x"), b"", good_json, JSON_FAULTS), "csv": (Csv("x"), HEADER + b"\n", good_csv, CSV_FAULTS),
    "change rows": (ChangeRows("x"), b"", lambda d: change(d).encode(), (*CHANGE_FAULTS, *JSON_FAULTS[8:9])),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(FORMATS))
def test_each_broken_line_is_held_back_for_its_own_reason_and_each_good_one_is_a_row(kind):
    source, head, good, faults = FORMATS[kind]
    draw, broken = random.Random(f"lines of {kind}"), Counter()
    while broken.total() < LINES:
        made = batch(draw, good, faults, PER_OBJECT)
        found = rows(source, head + b"\n".join(line for line, _ in made) + b"\n")
        assert [r["_line"] for r in found] == [n + 1 + bool(head) for n in range(len(made))]
        for (line, reason), row in zip(made, found, strict=True):
            assert bool(row["_error"]) == bool(reason) and reason in (row["_error"] or ""), (line[:200], reason, row["_error"])
            assert row["_error"] is None or (row["c0"] is None and row["_raw"] is not None)
            broken[reason] += bool(reason)
    print(f"\n{kind}: {broken.total():,} broken lines of {len(faults)} kinds, each with its reason")


def test_a_quote_never_closed_is_found_wherever_it_opens():
    draw = random.Random("quotes")
    for _ in range(FILES):
        lines = [good_csv(draw) for _ in range(20)]
        at = draw.randrange(20)
        lines[at] = b'7,"open,' + lines[at].replace(b'"', b"")
        lines[at + 1 :] = [line.replace(b'"', b"") for line in lines[at + 1 :]]
        found = rows(Csv("x"), HEADER + b"\n" + b"\n".join(lines))
        assert [r["_error"] is None for r in found] == [True] * at + [False] * (20 - at)
        assert all(f"a quote opened in line {at + 2} is never closed" == r["_error"] for r in found[at:])


@pytest.mark.parametrize("kind", list(WHOLE))
def test_a_spoiled_file_gives_all_its_rows_or_none_but_never_some(kind):
    name, content = WHOLE[kind]
    source = {"excel": Excel("x"), "parquet": Parquet("x"), "json": Json("x")}.get(kind, Csv("x"))
    whole = rows(source, content, name=name)
    assert all(r["_error"] is None for r in whole)
    draw, said = random.Random(f"files of {kind}"), Counter()
    for _ in range(FILES):
        how, broken = spoiled(draw, content)
        found = rows(source, broken, name=name)
        if [r["_line"] for r in found] == [0]:
            said[found[0]["_error"].split(":")[0].split("(")[0][:60]] += 1
        elif kind == "json":  # plain text: a record may be spoiled for itself, or say something else
            assert [r["_line"] for r in found] == list(range(1, len(found) + 1)), how
        else:
            assert found == whole, (how, len(found))
            said["harmless"] += 1
    assert set(said) - {"harmless"}
    print(f"\n{kind}: {FILES:,} spoiled files; {dict(said.most_common(8))}")
