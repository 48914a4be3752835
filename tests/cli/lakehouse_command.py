"""`lakehouse …` as a shell runs it, and the same within this process where starting Python each time would only cost."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from lakehouse import storage
from lakehouse.cli import app
from lakehouse.settings import REPOSITORY, settings


def lakehouse(*words: str, jobs: Path | None = None, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own: exit code, standard output and standard error apart."""
    more = {"LAKEHOUSE_JOBS": str(jobs)} if jobs else {}
    return subprocess.run(
        [sys.executable, "-m", "lakehouse.cli", *words], input=stdin, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "100", **more},
    )  # fmt: skip


def lakehouse_here(*words: str, jobs: Path, home: Path, **settings_given: str) -> subprocess.CompletedProcess[str]:
    """One command in this process, with settings of its own."""
    given = {"LAKEHOUSE_JOBS": str(jobs), "LAKEHOUSE_HOME": str(home), "COLUMNS": "100", **settings_given}
    out, err, code = io.StringIO(), io.StringIO(), 0
    with patch.dict(os.environ, given), _settings_anew(), redirect_stdout(out), redirect_stderr(err):
        try:
            app(list(words), prog_name="lakehouse")
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


@contextmanager
def _settings_anew() -> Iterator[None]:
    settings.cache_clear()
    storage.client.cache_clear()
    try:
        yield
    finally:
        settings.cache_clear()
        storage.client.cache_clear()
