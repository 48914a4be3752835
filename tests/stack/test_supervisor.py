"""A real supervisor: what it repairs, what it tells, what it leaves behind."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from infra.stack.config import Config
from infra.stack.stack import Stack
from lakehouse.errors import LakehouseError
from tests.stack.conftest import program

SLEEP = "97531"


def test_a_program_that_ends_shows_the_end_of_its_log_and_what_it_means(supervised: Callable[..., Stack], config: Config) -> None:
    broken = program(
        "minio", "sh", "-c", "echo starting; echo write failed: No space left on device; exit 3",
        hints={"No space left on device": "the disk is full"},
    )  # fmt: skip
    with pytest.raises(LakehouseError) as told:
        supervised(broken)._start([broken])
    message = str(told.value)
    assert "The minio (minio) did not get ready" in message
    assert f"End of {config.logs / 'minio.log'}" in message
    assert "| write failed: No space left on device" in message
    assert "Probably the disk is full." in message


def test_a_program_that_never_answers_is_told_with_what_was_wrong(supervised: Callable[..., Stack]) -> None:
    deaf = program("spark", "sleep", SLEEP, ready="nothing accepts connections at 127.0.0.1:15002 yet")
    stack = supervised(deaf)
    object.__setattr__(stack.config, "wait_seconds", 2)
    with pytest.raises(LakehouseError, match="not ready after 2 s: nothing accepts connections"):
        stack._start([deaf])


def test_a_killed_program_comes_back_by_itself(supervised: Callable[..., Stack]) -> None:
    stack = supervised(program("world", "sleep", SLEEP))
    stack._start([program("world", "sleep", SLEEP)])
    first = stack.supervisor.states()["world"].pid
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: stack.supervisor.states()["world"].pid not in (0, first))


def test_down_ends_grandchildren_in_sessions_of_their_own_without_our_mark(supervised: Callable[..., Stack], tmp_path: Path) -> None:
    stack = _with_an_escaped_grandchild(supervised, tmp_path)
    grandchild = _number(tmp_path)
    stack.down()
    assert not psutil.pid_exists(grandchild)
    assert not stack.supervisor.processes()


def test_what_a_killed_supervisor_left_is_ended_by_the_next_start(supervised: Callable[..., Stack], said: list[str]) -> None:
    sleeper = program("world", "sleep", SLEEP)
    stack = supervised(sleeper)
    stack._start([sleeper])
    left = stack.supervisor.states()["world"].pid
    os.kill(stack.supervisor.pid(), signal.SIGKILL)
    assert eventually(lambda: not stack.supervisor.is_up())
    stack._clear_leftovers()
    assert not psutil.pid_exists(left)
    assert any("left of a supervisor that was killed" in line for line in said)


def test_stale_pid_file_and_socket_do_not_stop_a_start(supervised: Callable[..., Stack], config: Config) -> None:
    config.run.mkdir(parents=True)
    (config.run / "supervisord.pid").write_text("1")
    (config.run / "supervisor.sock").touch()
    (config.run / "session.json").write_text('{"number": 1, "opened": 0}')
    stack = supervised(program("world", "sleep", SLEEP))
    assert stack.supervisor.is_up()
    assert psutil.pid_exists(1)


def test_a_changed_program_is_taken_over_without_touching_the_others(supervised: Callable[..., Stack]) -> None:
    kept, before = program("minio", "sleep", SLEEP), program("spark", "sleep", SLEEP)
    after = program("spark", "sleep", SLEEP, environment={"HEAP": "3g"})
    stack = supervised(kept, before)
    stack._start([kept, before])
    number = stack.supervisor.states()["minio"].pid
    assert stack.supervisor.write([kept, after])
    stack.supervisor.reload()
    stack._start([kept, after])
    states = stack.supervisor.states()
    assert states["minio"].pid == number
    assert psutil.Process(states["spark"].pid).environ()["HEAP"] == "3g"


def _with_an_escaped_grandchild(supervised: Callable[..., Stack], folder: Path) -> Stack:
    # Double fork, own session, empty environment: neither mark nor parent nor session tells whose it is.
    escape = f"(setsid env -i sleep {SLEEP} & echo $! > {folder}/number; exit); sleep {SLEEP}"
    parent = program("world", "sh", "-c", escape)
    stack = supervised(parent)
    stack._start([parent])
    assert eventually(lambda: (folder / "number").exists() and psutil.pid_exists(_number(folder)))
    return stack


def _number(folder: Path) -> int:
    return int((folder / "number").read_text())


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether it holds before the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.1)
    return False
