"""What a run decides from the logs alone, without Spark: what moved, what that means, and which number it competes for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse import storage
from lakehouse.delta.location import table_uri
from lakehouse.delta.log import APP, DeltaLog
from lakehouse.graph import Graph, load
from lakehouse.run.code import code_hash
from lakehouse.run.ledger import new_objects
from lakehouse.run.resolve import Decision, NotBuilt, resolve
from lakehouse.settings import REPOSITORY, Settings

pytestmark = pytest.mark.integration
BORN = [{"metaData": {"id": "{id}", "schemaString": "{}"}}, {"commitInfo": {"operation": "CREATE TABLE"}}]
ADD = {"add": {"path": "a", "size": 700, "dataChange": True}}
REMOVE = {"remove": {"path": "a", "size": 700, "dataChange": True}}
COMPACTION = [
    {"add": {"path": "b", "size": 700, "dataChange": False}}, {"remove": {"path": "a", "size": 700, "dataChange": False}},
    {"commitInfo": {"operation": "OPTIMIZE", "userMetadata": '{"code": "stuck", "inputs": {}}'}},
]  # fmt: skip


class Logs:
    """Delta logs written by hand for the proofs' small tables."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def write(self, name: str, version: int, *actions: dict[str, Any]) -> None:
        """One commit."""
        body = "\n".join(json.dumps(a) for a in actions).replace("{id}", f"id of {name}")
        storage.put(f"{table_uri(self.graph[name])}/_delta_log/{version:020d}.json", body.encode())

    def born(self, *names: str) -> None:
        """Tables with one publication each."""
        for name in names:
            self.write(name, 0, *BORN)
            self.write(name, 1, ADD, *self.publication(name, 0))

    def publication(self, name: str, number: int, inputs: dict[str, int] | None = None, **more: Any) -> list[dict[str, Any]]:
        """What a run's commit says of itself."""
        read = {n: {"id": f"id of {n}", "version": v} for n, v in (inputs or {}).items()}
        state = {"run": f"{name} {number}", "code": code_hash(self.graph[name]), "inputs": read, **more}
        return [{"txn": {"appId": APP, "version": number}}, {"commitInfo": {"operation": "WRITE", "userMetadata": json.dumps(state)}}]

    def decide(self, name: str, **asked: Any) -> Decision:
        """What the next run of a table would do."""
        return resolve(self.graph, self.graph[name], **asked)


@pytest.fixture
def logs(stack: Settings) -> Iterator[Logs]:
    """`dear_things` reads things as Changes and labels as Snapshot; all are built and nothing has moved."""
    from tests.proofs.lake import Lake

    lake = Lake(load(Path(REPOSITORY) / "tests" / "proofs" / "prooftables"))
    with lake.use():
        found = Logs(lake.graph)
        found.born("things", "labels", "parts", "hits")
        found.write("dear_things", 0, *BORN)
        found.write("dear_things", 1, ADD, *found.publication("dear_things", 0, {"things": 1, "labels": 1}))
        yield found
    lake.drop()


def test_nothing_moved_is_up_to_date(logs: Logs) -> None:
    assert logs.decide("dear_things").kind == "up to date"


def test_a_first_build_is_full_and_a_missing_input_is_named(logs: Logs) -> None:
    assert logs.decide("placed_things").kind == "full"
    with pytest.raises(NotBuilt, match=r"its input 'src__things' has no data yet. Run it first: lakehouse run src__things"):
        logs.decide("dim_thing")


def test_compaction_and_empty_publications_wake_nobody(logs: Logs) -> None:
    logs.write("things", 2, *COMPACTION)
    logs.write("things", 3, *logs.publication("things", 3))
    assert logs.decide("dear_things").kind == "up to date"


def test_compaction_of_the_table_itself_leaves_its_state(logs: Logs) -> None:
    logs.write("dear_things", 2, *COMPACTION)
    decision = logs.decide("dear_things")
    assert (decision.kind, decision.number, decision.base) == ("up to date", 2, 2)


def test_moved_changes_are_taken_by_their_range(logs: Logs) -> None:
    logs.write("things", 2, ADD, *logs.publication("things", 2))
    logs.write("things", 3, REMOVE, ADD, *logs.publication("things", 3))
    decision = logs.decide("dear_things")
    moved = decision.moved["things"]
    assert (decision.kind, moved.after, moved.until, moved.removes) == ("incremental", 1, 3, True)
    assert decision.number == 2


def test_a_moved_lookup_builds_in_full(logs: Logs) -> None:
    logs.write("labels", 2, ADD, *logs.publication("labels", 2))
    assert (logs.decide("dear_things").kind, logs.decide("dear_things").reason) == ("full", "labels moved")


def test_a_change_by_hand_and_a_restore_build_in_full_and_say_so(logs: Logs) -> None:
    logs.write("dear_things", 2, REMOVE, {"commitInfo": {"operation": "DELETE"}})
    by_hand = logs.decide("dear_things")
    stuck = json.dumps({"code": code_hash(logs.graph["dear_things"]), "inputs": {}})
    logs.write("dear_things", 3, ADD, {"commitInfo": {"operation": "RESTORE", "userMetadata": stuck}})
    restored = logs.decide("dear_things")
    assert [(d.kind, d.number) for d in (by_hand, restored)] == [("full", 3), ("full", 4)]
    assert "restored or changed by hand" in restored.reason


def test_an_input_that_is_another_table_builds_in_full(logs: Logs) -> None:
    logs.write("things", 0, {"metaData": {"id": "another", "schemaString": "{}"}})
    assert "another table than last time" in logs.decide("dear_things").reason


def test_a_feed_that_no_longer_reaches_back_builds_in_full(logs: Logs) -> None:
    logs.write("things", 3, ADD, *logs.publication("things", 3))  # version 2 was cleaned away
    decision = logs.decide("dear_things")
    assert (decision.kind, "no longer reaches back" in decision.reason) == ("full", True)


def test_something_frozen_may_even_be_replaced(logs: Logs) -> None:
    logs.write("fct_thing_parts", 0, *BORN)
    read = {"things": 1, "parts": 1, "hits": 1, "labels": 1}
    logs.write("fct_thing_parts", 1, ADD, *logs.publication("fct_thing_parts", 0, read))
    logs.write("hits", 0, {"metaData": {"id": "another", "schemaString": "{}"}})
    logs.write("hits", 2, REMOVE, ADD, *logs.publication("hits", 2))
    assert logs.decide("fct_thing_parts").kind == "up to date"


def test_a_reference_that_moved_is_looked_at_again_and_one_that_diverts_builds_in_full(logs: Logs) -> None:
    read = {"parts": 1, "things": 1}
    logs.write("checked_parts", 0, *BORN)
    logs.write("checked_parts", 1, ADD, *logs.publication("checked_parts", 0, read))
    logs.write("fct_thing_parts", 0, *BORN)
    logs.write("fct_thing_parts", 1, ADD, *logs.publication("fct_thing_parts", 0, {**read, "hits": 1, "labels": 1}))
    logs.write("labels", 2, ADD, *logs.publication("labels", 2))
    logs.write("things", 2, ADD, *logs.publication("things", 2))
    assert logs.decide("fct_thing_parts").kind == "incremental"
    assert logs.decide("checked_parts").kind == "full"


# objects of landing ---------------------------------------------------------------------------------------------------------


def _landed(logs: Logs, *batches: int) -> None:
    from lakehouse.settings import settings

    for batch in batches:
        storage.put(f"{settings().landing}/src/things/{batch:010d}.jsonl.gz", b"batch %d" % batch)
        storage.put(f"{settings().landing}/src/_batches/{batch:010d}.json", b"{}")


def _new(logs: Logs) -> list[str]:
    table = logs.graph["src__things"]
    return sorted(name[-10:-9] for name in new_objects(table, DeltaLog(table_uri(table))).take)


def _taken(logs: Logs, version: int) -> None:
    table = logs.graph["src__things"]
    objects = new_objects(table, DeltaLog(table_uri(table))).consumed
    logs.write("src__things", version, ADD, *logs.publication("src__things", version, objects=objects))


def test_each_object_is_taken_once(logs: Logs) -> None:
    logs.write("src__things", 0, *BORN)
    _landed(logs, 1, 2)
    assert _new(logs) == ["1", "2"]
    _taken(logs, 1)
    _landed(logs, 3)
    assert _new(logs) == ["3"]


def test_a_batch_without_its_manifest_waits(logs: Logs) -> None:
    logs.write("src__things", 0, *BORN)
    _landed(logs, 1)
    from lakehouse.settings import settings

    storage.put(f"{settings().landing}/src/things/0000000002.jsonl.gz", b"half a batch")
    assert _new(logs) == ["1"]


def test_what_a_restore_took_back_is_taken_again_and_the_rest_is_not(logs: Logs) -> None:
    logs.write("src__things", 0, *BORN)
    for batch in (1, 2, 3):
        _landed(logs, batch)
        _taken(logs, batch)
    assert _new(logs) == []
    logs.write("src__things", 4, REMOVE, {"commitInfo": {"operation": "RESTORE", "operationParameters": {"version": "1"}}})
    assert _new(logs) == ["2", "3"]
    _taken(logs, 5)
    assert _new(logs) == []
