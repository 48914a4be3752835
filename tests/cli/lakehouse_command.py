"""`lakehouse …` as a shell runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lakehouse.settings import REPOSITORY


def lakehouse(
    *words: str, jobs: Path | None = None, home: Path | None = None, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """One command: exit code, standard output and standard error apart."""
    more = {"LAKEHOUSE_JOBS": str(jobs)} if jobs else {}
    more |= {"LAKEHOUSE_HOME": str(home)} if home else {}
    return subprocess.run(
        [sys.executable, "-m", "lakehouse.cli", *words], input=stdin, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "100", **more},
    )  # fmt: skip
