"""A stack's folder without a stack, and a real supervisor with programs small enough for a test."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.stack import config as configuration
from infra.stack.config import Config
from infra.stack.files import private_folder
from infra.stack.programs.program import Program
from infra.stack.stack import Stack


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """The configuration of a stack in a folder of its own."""
    monkeypatch.setenv("LAKEHOUSE_HOME", str(tmp_path / "home"))
    for name in ("LAKEHOUSE_MEMORY_SPARK", "LAKEHOUSE_DISK_MINIMUM_GB", "LAKEHOUSE_PORT_SPARK"):
        monkeypatch.delenv(name, raising=False)
    private_folder(tmp_path / "home")
    return replace(configuration.with_free_ports(configuration.read()), wait_seconds=20)


@pytest.fixture
def said() -> list[str]:
    """What the stack told the person."""
    return []


@pytest.fixture
def supervised(config: Config, said: list[str]) -> Iterator[Callable[..., Stack]]:
    """A stack whose supervisor really runs and knows the given programs."""
    stack = Stack(config, said.append)

    def with_programs(*programs: Program) -> Stack:
        stack.supervisor.write(list(programs))
        stack.supervisor.start(Path(sys.executable))
        return stack

    yield with_programs
    stack.down()


def program(name: str, *command: str, ready: str | None = None, **more: object) -> Program:
    """A program that counts as ready at once, or never, for the reason given."""
    return Program(name=name, title=f"The {name}", command=list(command), ready=lambda _started: ready, **more)
