"""Killed anywhere, the next run ends as if nothing had happened; a reader looking all along saw nothing unaudited."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from lakehouse import storage
from lakehouse.delta.location import quarantine_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.run import derive, interrupt
from lakehouse.run.fault import STEPS
from lakehouse.settings import Settings, settings
from tests.proofs.conftest import FULL, graph_of
from tests.proofs.lake import Lake, differences
from tests.proofs.progress import Progress
from tests.proofs.proxy import Proxy
from tests.proofs.reader import Reader
from tests.proofs.scene import Scene
from tests.proofs.writer import Writer
from tests.stacks import command

pytestmark = [pytest.mark.integration, pytest.mark.prove, pytest.mark.timeout(0 if FULL else 1800)]
MERGING = ("things", "placed_things", "dear_things", "agg_group", "dim_thing") if FULL else ("things",)
BRONZE_STEPS = tuple(s for s in STEPS if s != "created") if FULL else ("published",)
MERGE_STEPS = STEPS if FULL else ("staged", "quarantined", "published")
MATRIX = [(name, step) for name in MERGING for step in MERGE_STEPS] + [("src__things", step) for step in BRONZE_STEPS]
MOMENTS = 100 if FULL else 1
"""Kills at a moment drawn by chance, besides those at each step."""


def before(scene: Scene, name: str) -> Lake:
    """A lake in which `name` is about to run; bronze has then still to take what landed."""
    return scene.just_before(name)


def expected(scene: Scene, name: str) -> dict[str, Any]:
    """What a run that nobody disturbs gives."""
    if name.startswith("src__"):
        lake = before(scene, name)
        lake.run([name])
        clean = lake.content([name])
        lake.drop()
        return clean
    return scene.only(name)


@pytest.fixture(scope="module")
def clean(scene: Scene) -> Any:
    """The undisturbed outcome of each table, computed once."""
    known: dict[str, Any] = {}

    def of(name: str) -> Any:
        if name not in known:
            known[name] = expected(scene, name)
        return known[name]

    return of


@pytest.mark.parametrize(("name", "step"), MATRIX)
def test_a_writer_killed_at_a_step_leaves_the_next_run_all_it_needs(
    name: str, step: str, scene: Scene, clean: Any, tmp_path: Path
) -> None:
    lake, wanted = before(scene, name), clean(name)
    old = lake.rows(name)
    reader = Reader(lake, name)
    with lake.use(), reader.looking():
        writer = Writer(tmp_path, "prooftables", name, fault=step)
        assert writer.reached(), f"the run never came to '{step}': {writer.ended(0)}"
        writer.kill()
        lake.run([name])
    assert differences(wanted, lake.content([name])) == []
    assert reader.polls > 0
    assert not reader.unexpected(old, wanted[name])
    print(f"\n{name} killed at {step}: {reader.polls} polls, {len(reader.seen)} states seen")
    lake.drop()


def test_writers_killed_at_any_moment_leave_the_next_run_all_it_needs(scene: Scene, clean: Any, tmp_path: Path) -> None:
    chance, progress = Random(11), Progress("moments", resumes=FULL)
    polls = failed = 0
    for moment in range(MOMENTS):
        name, delay = chance.choice(MERGING), chance.uniform(0.5, 12)
        if progress.known(str(moment)) == "held":
            continue
        lake, wanted = before(scene, name), clean(name)
        old, reader, attempt = lake.rows(name), Reader(lake, name), f"killed {time.time_ns()}"
        with lake.use(), reader.looking():
            writer = Writer(tmp_path, "prooftables", name, ATTEMPT=attempt)
            time.sleep(delay)
            writer.kill()
            interrupt(attempt)
            lake.run([name])
        good = not differences(wanted, lake.content([name])) and not reader.unexpected(old, wanted[name])
        progress.keep(str(moment), "held" if good else f"{name} after {delay:.2f} s")
        polls, failed = polls + reader.polls, failed + (not good)
        lake.drop()
        print(f"\nkilled at {moment + 1} of {MOMENTS} moments, {failed} failures, {polls} polls", end="")
    assert not failed


def test_a_creation_that_was_cut_short_leaves_the_next_run_all_it_needs(scene: Scene, clean: Any) -> None:
    lake = before(scene, "things")
    with lake.use():
        uri = table_uri(lake.graph["things"])
        storage.delete_prefix(f"{uri}/")
        storage.put(f"{uri}/_delta_log/", b"")  # the folder is made before the first commit
        lake.run(["things"])
    assert differences(clean("things"), lake.content(["things"])) == []
    lake.drop()


def test_a_reply_lost_after_the_commit_costs_nothing(scene: Scene, clean: Any, tmp_path: Path) -> None:
    lake, wanted = before(scene, "things"), clean("things")
    old, base, reader = lake.rows("things"), lake.log("things").version or 0, Reader(lake, "things")
    uri = f"s3a://lake/{lake.name}/silver/things"
    proxy = Proxy(settings().spark_url, lambda: (DeltaLog(uri).version or 0) > base)
    with lake.use(), reader.looking():
        ended = Writer(tmp_path, "prooftables", "things", LAKEHOUSE_SPARK_URL=proxy.address).ended(150)
        again = lake.run(["things"])
    proxy.close()
    assert proxy.dropped == 1
    assert differences(wanted, lake.content(["things"])) == []
    assert [r.state for r in again] == ["up to date"]
    assert not reader.unexpected(old, wanted["things"])
    print(f"\nreply lost: the run itself ended '{ended or 'killed while it waited'}'; {reader.polls} polls")
    lake.drop()


def test_a_row_published_before_its_audit_would_be_seen(scene: Scene, clean: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lake, wanted = before(scene, "things"), clean("things")
    honest = derive.audit

    def too_late(spark: Any, table: Any, staged: Any, *more: Any) -> Any:
        columns = spark.read.format("delta").load(uri).columns
        staged.read(spark, "quarantine").select(*columns).write.format("delta").mode("append").save(uri)
        time.sleep(2)
        return honest(spark, table, staged, *more)

    uri = f"s3a://lake/{lake.name}/silver/things"
    old, reader = lake.rows("things"), Reader(lake, "things")
    monkeypatch.setattr(derive, "audit", too_late)
    with lake.use(), reader.looking():
        lake.run(["things"])
    assert reader.unexpected(old, wanted["things"])
    print(f"\nthe leak was seen: {reader.polls} polls")
    lake.drop()


@pytest.fixture(scope="module")
def breakable(stack: Settings, stack_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A stack whose server may be killed: that of the tests, unless it is borrowed."""
    if not os.environ.get("LAKEHOUSE_TEST_STACK"):
        yield stack_home
        return
    home = tmp_path_factory.mktemp("breakable")
    try:
        command(home, "up", "--light", "--free-ports")
        yield home
    finally:
        command(home, "reset", check=False)


def test_a_spark_server_killed_during_a_run_costs_one_more_run(breakable: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("LAKEHOUSE_HOME", str(breakable))
        _forget()
        stack.callback(_forget)
        scene = Scene(graph_of("prooftables"), above=("things", "labels"))
        stack.callback(scene.drop)
        lake = scene.just_before("things")
        stack.callback(lake.drop)
        reader = Reader(lake, "things")
        old = lake.rows("things")
        with lake.use(), reader.looking():
            writer = Writer(tmp_path, "prooftables", "things")
            held = quarantine_uri("things")
            known = DeltaLog(held).version or 0
            _until(lambda: (DeltaLog(held).version or 0) > known)  # the quarantine is written, the table is next
            _kill_server(settings().spark_url)
            ended = writer.ended(200)
            command(breakable, "up", "--light", "--free-ports")
            _forget()
        with lake.use(), reader_of(lake).looking() as after:
            lake.run(["things"])
        assert differences(scene.only("things"), lake.content(["things"])) == []
        assert not (reader.seen | after.seen) - {frozenset(rows.items()) for rows in (old, scene.only("things")["things"])}
        print(f"\nserver killed: the run ended '{ended[:80] or 'killed while it waited'}'; {reader.polls + after.polls} polls")


def reader_of(lake: Lake) -> Reader:
    """A reader of the scene's things."""
    return Reader(lake, "things")


def _forget() -> None:
    from lakehouse import storage

    settings.cache_clear()
    storage.client.cache_clear()


def _until(happened: Any, patience: float = 240) -> None:
    until = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < until, "it never came so far"
        time.sleep(0.1)


def _kill_server(address: str) -> None:
    port = int(address.split(":")[2].split("/")[0])
    owners = {c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.status == psutil.CONN_LISTEN}
    for pid in owners - {None}:
        psutil.Process(pid).kill()
