"""One moment, one publication: whatever is published, killed or loaded meanwhile, orders and lines fit together.

`make prove` runs it at full size.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from lakehouse.settings import REPOSITORY, Settings
from lakehouse.warehouse import publish
from tests.warehouse import star
from tests.warehouse.publisher import MOMENTS, STAR
from tests.warehouse.reader import Reader
from tests.warehouse.server import Server, own_warehouse
from tests.warehouse.star import DIM_CUSTOMER, FCT_ORDER_LINES, FCT_ORDERS, Version

PROVE = os.environ.get("LAKEHOUSE_PROVE") == "full"
PUBLICATIONS = 300 if PROVE else 40
ORDERS = 2_000 if PROVE else 1_000
KILLS = 20 if PROVE else 2
"""Publishers killed at each moment."""
MINIMUM_POLLS = 20 * PUBLICATIONS

pytestmark = [pytest.mark.integration, pytest.mark.prove, pytest.mark.timeout(3600 if PROVE else 600)]


@pytest.fixture(scope="module")
def warehouse(stack: Settings) -> Iterator[Server]:
    """A database of these tests' own."""
    with own_warehouse(stack) as server:
        yield server


class Moments:
    """The lake at one moment after the other."""

    def __init__(self) -> None:
        self.number = 0
        self.customers = star.write(DIM_CUSTOMER, star.customers())

    def next(self) -> dict[str, Version]:
        """Write the next moment; returns the cut that belongs together."""
        self.number += 1
        orders, lines = star.orders_of_a_moment(self.number, ORDERS)
        return {
            "dim_customer": self.customers,
            "fct_orders": star.write(FCT_ORDERS, orders),
            "fct_order_lines": star.write(FCT_ORDER_LINES, lines),
        }

    def next_begun(self) -> None:
        """As an hourly run does beside a publication: orders have moved on, lines have not yet."""
        star.write(FCT_ORDERS, star.orders_of_a_moment(self.number + 1, ORDERS)[0])


@contextlib.contextmanager
def readers(server: Server) -> Iterator[list[Reader]]:
    """Two that look in single statements, one that looks in transactions of several."""
    url = server.url("analyst")
    found = [Reader(url), Reader(url), Reader(url, in_a_transaction=True)]
    with contextlib.ExitStack() as running:
        for reader in found:
            running.enter_context(reader)
        yield found


def publisher(cut: dict[str, Version], moment: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Publish from another process, which ends itself at that moment."""
    file = folder / "cut.json"
    file.write_text(json.dumps({name: asdict(version) for name, version in cut.items()}), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "tests.warehouse.publisher", str(file), moment],
        cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def test_a_reader_finds_every_line_with_its_order_whenever_it_looks(warehouse: Server) -> None:
    moments = Moments()
    publish(STAR, moments.next(), "first")
    seconds: list[float] = []
    with readers(warehouse) as all_readers:
        for n in range(PUBLICATIONS):
            cut = moments.next()
            moments.next_begun()
            report = publish(STAR, cut, f"run {n}")
            seconds.append(report.seconds)
            assert report.state == "published"
            assert [count for _, count in report.references] == [0, 0]
    polls = sum(reader.polls for reader in all_readers)
    longest = max(reader.longest for reader in all_readers)
    print(
        f"\n{PUBLICATIONS} publications of {statistics.median(seconds):.2f} s (at most {max(seconds):.2f}), "
        f"{polls} polls (at least {MINIMUM_POLLS}), "
        f"{sum(len(r.mixtures) for r in all_readers)} mixtures, longest poll {longest:.2f} s"
    )
    assert [reader.mixtures for reader in all_readers] == [[], [], []]
    assert polls >= MINIMUM_POLLS
    assert all(len(reader.moments) > PUBLICATIONS // 4 for reader in all_readers)


def test_a_publisher_killed_at_any_moment_leaves_the_old_set_or_the_new_one(
    warehouse: Server, tmp_path: Path
) -> None:
    moments = Moments()
    publish(STAR, moments.next(), "first", allow_older=True)
    outcomes: dict[str, list[str]] = {moment: [] for moment in MOMENTS}
    with readers(warehouse) as all_readers:
        for _ in range(KILLS):
            for moment in MOMENTS:
                cut = moments.next()
                killed = publisher(cut, moment, tmp_path)
                assert killed.returncode == -signal.SIGKILL, killed.stderr
                report = publish(STAR, cut, "the next run")
                outcomes[moment].append(report.state)
                shown = _shown(warehouse)
                assert shown == {name: version.version for name, version in cut.items()}
    polls = sum(reader.polls for reader in all_readers)
    print(
        f"\n{KILLS} kills at each of {len(MOMENTS)} moments, {polls} polls, "
        f"{sum(len(r.mixtures) for r in all_readers)} mixtures; the run after found: {outcomes}"
    )
    assert [reader.mixtures for reader in all_readers] == [[], [], []]
    assert polls >= 20 * KILLS * len(MOMENTS)
    for moment in ("loading", "loaded", "before commit"):
        assert set(outcomes[moment]) == {"published"}
    assert set(outcomes["after commit"]) == {"up to date"}
    with warehouse.admin() as admin:
        assert admin.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'staging'").fetchone() == (0,)
        left = admin.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'marts_data'").fetchone()
        assert left == (5,)  # two publications' orders and lines, and the customers both show


def test_the_reader_catches_a_publisher_that_switches_view_after_view(warehouse: Server, tmp_path: Path) -> None:
    moments = Moments()
    publish(STAR, moments.next(), "first", allow_older=True)
    with readers(warehouse) as all_readers:
        done = publisher(moments.next(), "one by one", tmp_path)
    assert done.stdout.strip() == "published", done.stderr
    print(f"\nmixtures noticed, reader by reader: {[len(reader.mixtures) for reader in all_readers]}")
    assert all(reader.mixtures for reader in all_readers)


def _shown(server: Server) -> dict[str, int]:
    with server.admin() as admin:
        return dict(admin.execute("SELECT table_name, delta_version FROM ops.shown").fetchall())
