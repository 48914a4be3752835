"""Change rows: one format from the first day, whatever the source."""

import io
import json

import pytest

from lakehouse.declare import ChangeRows
from lakehouse.sources.read import read_object, unknown_columns

CHANGE = {
    "sequence": 12,
    "operation": "upsert",
    "at": "2026-11-21T13:05:00Z",
    "row": {"order_id": "o1", "total": 9.90},
}


def batches(*lines):
    content = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()
    source = ChangeRows("shop/orders")
    return list(read_object(source, ("order_id", "total"), lambda: io.BytesIO(content), "shop/orders/0001.jsonl"))


def rows(*lines):
    return [row for batch in batches(*lines) for row in batch.to_pylist()]


def test_a_change_gives_its_operation_sequence_and_time_beside_the_row():
    change = '{"sequence": 12, "operation": "upsert", "at": "2026-11-21T13:05:00Z", "row": %s}'
    (row,) = rows(change % '{"order_id": "o1", "total": 9.90}')
    assert row == {
        "_op": "upsert", "_sequence": "12", "_event_at": "2026-11-21T13:05:00Z", "c0": "o1", "c1": "9.90",
        "_line": 1, "_raw": None, "_error": None,
    }  # fmt: skip


def test_a_deletion_needs_only_the_key():
    (row,) = rows({**CHANGE, "operation": "delete", "row": {"order_id": "o1"}})
    assert (row["_op"], row["c0"], row["c1"], row["_error"]) == ("delete", "o1", None, None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sequence": 1, "operation": "upsert", "row": {}}, "without at"),
        ({**CHANGE, "sequence": None}, "without sequence"),
        ({**CHANGE, "sequence": "12"}, 'sequence "12" is no whole number'),
        ({**CHANGE, "sequence": 1.5}, "sequence 1.5 is no whole number"),
        ({**CHANGE, "sequence": -1}, "sequence -1 is no whole number"),
        ({**CHANGE, "sequence": 2**63}, "is no whole number from 0 to 9223372036854775807"),
        ({**CHANGE, "sequence": 10**40}, "is no whole number"),
        ({**CHANGE, "operation": "update"}, 'operation "update" is none; valid: upsert, delete'),
        ({**CHANGE, "operation": ["upsert"]}, "is none"),
        ({**CHANGE, "at": 5}, "at 5 is no time"),
        ({**CHANGE, "row": "o1"}, "row is no object"),
        ({**CHANGE, "row": {"ORDER_ID": "o1"}}, "'ORDER_ID' is spelled otherwise"),
        ({**CHANGE, "Sequence": 1}, "'Sequence' is spelled otherwise"),
        ([CHANGE], "a JSON list stands"),
    ],
)
def test_a_change_that_cannot_be_placed_is_refused(change, reason):
    good, bad = sorted(rows(change, CHANGE), key=lambda r: r["_error"] is not None)
    assert good["c0"] == "o1" and reason in bad["_error"] and bad["_op"] is None and bad["_line"] == 1


def test_the_largest_sequence_is_kept_to_its_last_digit():
    assert rows({**CHANGE, "sequence": 2**63 - 1})[0]["_sequence"] == "9223372036854775807"


def test_unknown_names_of_the_row_and_beside_it_are_reported():
    last = batches({**CHANGE, "trace": "x", "row": {"order_id": "o1", "gift": True}})[-1]
    assert sorted(unknown_columns(last)) == ["gift", "trace"] and last.to_pylist()[0]["_error"] is None
