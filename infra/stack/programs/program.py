"""What the supervisor needs to know of a program, whatever it is."""

import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.stack.config import Config
from infra.stack.credentials import Credentials

Ready = Callable[[float], str | None]
"""Given when the program was started: None when it is ready, otherwise what is still wrong."""


@dataclass(frozen=True)
class Program:
    """One program under the supervisor."""

    name: str
    title: str
    command: list[str]
    ready: Ready
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    signal: str = "TERM"
    whole_group: bool = True
    """Whether the stop signal goes to its children too; some want to end theirs themselves."""
    prepare: Callable[[], None] | None = None
    """What must be there before it starts (files, a database cluster)."""
    finish: Callable[[], None] | None = None
    """What is set up in it once it answers (buckets, roles)."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """A fragment of a log line → what it means and how to repair it."""


@dataclass(frozen=True)
class Place:
    """Where and with what a stack stands: handed to every program."""

    config: Config
    credentials: Credentials
    python: Path
    jars: Path
    minio: Path
    java: Path


def answers(url: str) -> str | None:
    """None when a GET of this address succeeds, otherwise what happened instead."""
    try:
        with urllib.request.urlopen(url, timeout=3):
            return None
    except urllib.error.HTTPError as refused:
        return f"{url} answers {refused.code} {refused.reason}"
    except OSError as silent:
        return f"{url} does not answer: {getattr(silent, 'reason', silent)}"


def listens(port: int) -> str | None:
    """None when something accepts connections at this port, otherwise what happened instead."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return None
    except OSError as silent:
        return f"nothing accepts connections at 127.0.0.1:{port} yet ({silent})"
