"""Spark starts a Python daemon per session and keeps it: idle ones are ended."""

import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from infra.stack.keeper import end_idle_daemons

SLEEP = "import time; time.sleep(600)"
BUSY = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{SLEEP}', 'pyspark.daemon'])"


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Processes of the test, ended after it."""
    here: list[subprocess.Popen[bytes]] = []
    yield here
    for each in here:
        for process in [psutil.Process(each.pid), *psutil.Process(each.pid).children(recursive=True)]:
            process.kill()
        each.wait()


def test_only_a_daemon_idle_at_two_looks_is_ended(started: list["subprocess.Popen[bytes]"]) -> None:
    for program, name in ((SLEEP, "pyspark.daemon"), (BUSY, "pyspark.daemon"), (SLEEP, "something else")):
        started.append(subprocess.Popen([sys.executable, "-c", program, name]))
    idle, busy, other = started
    while not psutil.Process(busy.pid).children():
        time.sleep(0.05)
    me = psutil.Process()
    first = end_idle_daemons(me, set())
    assert first == {idle.pid}
    assert idle.poll() is None
    assert end_idle_daemons(me, first) == set()
    assert idle.wait(timeout=10) != 0
    assert busy.poll() is None
    assert other.poll() is None
    started.remove(idle)
