"""Ten mistakes an engine like this one makes, each planted in turn: the kit sees every one of them."""

from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.delta.log import DeltaLog
from lakehouse.run import Stopped, compute, derive, difference, frames, ledger, resolve
from lakehouse.run.publish import Overtaken
from tests.proofs.lake import Lake, differences
from tests.proofs.oracle import groups_of, history_of, newest_of
from tests.proofs.scene import FIRST, SECOND, Scene

pytestmark = [pytest.mark.integration, pytest.mark.prove, pytest.mark.timeout(1800)]
ERASED = {"T6"}


@pytest.fixture
def found(scene: Scene) -> Any:
    """How a table differs from a full build when it is run, from the moment before, by the engine as patched."""

    def run(name: str) -> list[str]:
        lake = scene.just_before(name)
        try:
            lake.run([name])
            return differences(scene.only(name), lake.content([name]))
        except Stopped as stopped:  # the engine's own audit saw it first: two rows would have had one key
            return [str(stopped)]
        finally:
            lake.drop()

    return run


def test_without_a_mistake_nothing_differs(scene: Scene) -> None:
    assert differences(scene.expected, scene.after.content(scene.names)) == []


def test_the_scene_ends_as_plain_python_says(scene: Scene) -> None:
    changes = [*FIRST["src/things"], *SECOND["src/things"]]
    kept, held = newest_of(changes, "thing_id", ERASED)
    assert scene.after.rows("things") == kept
    assert scene.after.held_back("things").total() == len(held)
    assert scene.after.rows("agg_group") == groups_of(kept)
    assert scene.after.rows("dim_thing") == history_of(changes, ERASED)


def test_pre_images_forgotten_in_changes_are_seen(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = frames.pre_images
    monkeypatch.setattr(frames, "pre_images", lambda table, changes: whole(table, changes).limit(0))
    assert found("placed_things")


def test_pre_images_forgotten_in_touched_are_seen(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = frames.feed
    posts = "_change_type IN ('insert', 'update_postimage')"
    monkeypatch.setattr(frames, "feed", lambda spark, table, moved: whole(spark, table, moved).where(posts))
    assert found("agg_group")


def test_a_missing_sequence_guard_is_seen(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_content(table: Any, candidates: Any) -> Any:
        place = F.row_number().over(Window.partitionBy(*table.key).orderBy(F.desc("amount")))
        return candidates.withColumn("_place", place).where("_place = 1").drop("_place")

    monkeypatch.setattr(difference, "newest", by_content)
    assert found("things")


def test_groups_compared_with_nulls_unequal_are_seen(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unequal(columns: Any) -> Any:
        wanted = F.lit(True)
        for column in columns:
            wanted = wanted & (F.col(column) == F.col(f"_right_{column}"))
        return wanted

    monkeypatch.setattr(frames, "_agree", unequal)
    assert found("agg_group")


def test_an_erasure_in_bronze_ignored_is_seen(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = resolve._range
    monkeypatch.setattr(resolve, "_range", lambda *a: (r := whole(*a)) and replace(r, removes=False))
    assert found("things")


def test_a_moved_lookup_ignored_is_seen(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = resolve._verdict
    monkeypatch.setattr(resolve, "_verdict", lambda table, moved: whole(table, {n: m for n, m in moved.items() if n != "labels"}))
    assert found("dear_things")


def test_a_forgotten_delete_is_seen(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = difference.between

    def without_deletes(*given: Any) -> Any:
        kept = F.when(F.col("_change") == "delete", "same").otherwise(F.col("_change"))
        return whole(*given).withColumn("_change", kept)

    monkeypatch.setattr(difference, "between", without_deletes)
    assert found("placed_things")


def test_an_append_made_twice_is_seen(found: Any, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "taken_so_far", lambda table, log: ({}, {}))
    assert any("too many" in line for line in found("src__labels"))


def test_a_used_transaction_number_trusted_is_seen(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def restored() -> Lake:
        lake = scene.after.copy((*scene.graph.upstream("placed_things"), "placed_things"))
        lake.sql(f"RESTORE TABLE {lake.address('placed_things')} TO VERSION AS OF 1")
        return lake

    def trusting(spark: Any, table: Any, staged: Any, state: Any, number: int, *, overwrite: bool = False) -> int:
        log = DeltaLog(staged.uri.split("/_staged/")[0] + f"/{table.layer}/{table.name}")
        used = max(c.number for c in log.back() if c.number is not None)
        try:
            return honest(spark, table, staged, state, used, overwrite=overwrite)
        except Overtaken:
            return log.version or 0

    honest = derive.publish
    lake, mistaken = restored(), restored()
    lake.run(["placed_things"])
    assert differences(scene.only("placed_things"), lake.content(["placed_things"])) == []
    monkeypatch.setattr(derive, "publish", trusting)
    mistaken.run(["placed_things"])
    assert differences(scene.only("placed_things"), mistaken.content(["placed_things"]))
    lake.drop()
    mistaken.drop()


def test_history_made_from_a_snapshot_is_seen(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = frames.snapshot

    def newest_only(spark: Any, table: Any, version: int) -> Any:
        place = F.row_number().over(Window.partitionBy("thing_id").orderBy(F.desc("_sequence")))
        return whole(spark, table, version).withColumn("_place", place).where("_place = 1").drop("_place")

    monkeypatch.setattr(compute.frames, "snapshot", newest_only)
    assert found("dim_thing")
