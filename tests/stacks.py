"""Stacks for the tests: their own folder, free ports, ended whatever happens.

`LAKEHOUSE_TEST_STACK=<folder>` reuses one that is already up, while developing.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lakehouse import storage
from lakehouse.settings import REPOSITORY, Settings, settings


@pytest.fixture(scope="session")
def stack_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the tests' stack; whatever runs in it is ended afterwards."""
    given = os.environ.get("LAKEHOUSE_TEST_STACK")
    if given:
        yield Path(given)
        return
    home = tmp_path_factory.mktemp("stack")
    with _ended(home):
        yield home


@pytest.fixture(scope="session")
def stack(stack_home: Path) -> Iterator[Settings]:
    """MinIO, Postgres, Spark and MLflow, up and empty (or the one named by LAKEHOUSE_TEST_STACK)."""
    yield from _running(stack_home, "up", "--light", "--free-ports")


@pytest.fixture(scope="session")
def airflow_stack(stack: Settings, stack_home: Path) -> Iterator[Settings]:
    """The same with Airflow's four processes."""
    yield from _running(stack_home, "up", "--free-ports")


@pytest.fixture(scope="session")
def stack_command(stack_home: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Give the tests' stack a command: ``stack_command("restart", "spark")``."""

    def give(*words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return command(stack_home, *words, check=check)

    return give


@contextmanager
def bench_stack(home: Path) -> Iterator[Settings]:
    """A light stack for the length of a block (or the one named by LAKEHOUSE_TEST_STACK)."""
    given = os.environ.get("LAKEHOUSE_TEST_STACK")
    if given:
        yield from _running(Path(given), "up", "--light", "--free-ports")
        return
    with _ended(home):
        yield from _running(home, "up", "--light", "--free-ports")


@contextmanager
def _ended(home: Path) -> Iterator[None]:
    """Whatever runs in this folder is ended after the block, even if this process is killed in it."""
    guard = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "tests" / "stack_guard.py"), str(home)],
        env=_environment(home), cwd=REPOSITORY, stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        command(home, "reset", check=False)
        guard.communicate()


def command(home: Path, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run ``python -m infra.stack …`` for the stack in this folder."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.stack", *words],
        env=_environment(home),
        cwd=REPOSITORY, capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    if check and done.returncode:
        pytest.fail(f"`infra.stack {' '.join(words)}` failed:\n{done.stdout}\n{done.stderr}", pytrace=False)
    return done


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "LAKEHOUSE_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}


def _running(home: Path, *words: str) -> Iterator[Settings]:
    if not os.environ.get("LAKEHOUSE_TEST_STACK"):
        command(home, *words)
    before = os.environ.get("LAKEHOUSE_HOME")
    os.environ["LAKEHOUSE_HOME"] = str(home)
    _forget()
    try:
        yield settings()
    finally:
        os.environ.pop("LAKEHOUSE_HOME")
        if before is not None:
            os.environ["LAKEHOUSE_HOME"] = before
        _forget()


def _forget() -> None:
    settings.cache_clear()
    storage.client.cache_clear()
