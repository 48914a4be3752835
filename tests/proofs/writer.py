"""Runs of a table in a process of its own, which can be killed; the imports are made once and inherited."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

PRELOAD = ["lakehouse.run", "pyspark.sql.connect.session", "pandas", "psycopg", "boto3", "tests.proofs.writer"]


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


def _run(environment: dict[str, str], package: str, name: str, outcome: str) -> None:
    os.environ.update(environment)
    from lakehouse import storage
    from lakehouse.errors import LakehouseError
    from lakehouse.run import run_table
    from lakehouse.settings import settings
    from tests.proofs.conftest import graph_of

    settings.cache_clear()
    storage.client.cache_clear()
    try:
        report = run_table(graph_of(package), name, record=False, attempt=environment.get("ATTEMPT"))
    except LakehouseError as error:
        Path(outcome).write_text(f"failed: {error}")
        raise
    Path(outcome).write_text(report.state)


class Writer:
    """A process that runs one table; `fault` names the step at which it waits to be killed."""

    def __init__(self, folder: Path, package: str, name: str, *, fault: str = "", **environment: str) -> None:
        stamp = f"{name}-{time.monotonic_ns()}"
        self.marker, self.outcome = folder / f"{stamp}.reached", folder / f"{stamp}.outcome"
        given = {k: v for k, v in os.environ.items() if k.startswith("LAKEHOUSE_")} | environment
        if fault:
            given["LAKEHOUSE_FAULT"] = f"{fault}:{self.marker}"
        self.process = _context().Process(target=_run, args=(given, package, name, str(self.outcome)), daemon=True)
        self.process.start()

    def reached(self, patience: float = 240) -> bool:
        """Wait until the step is reached; false where the run ended without."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self.marker.exists():
                return True
            if not self.process.is_alive():
                return False
            time.sleep(0.05)
        return False

    def kill(self) -> None:
        """SIGKILL, as the kernel does it when memory runs out."""
        self.process.kill()
        self.process.join()

    def ended(self, patience: float = 240) -> str:
        """How it ended: a report's state, "failed: …", or "" where it did not end by itself and was killed."""
        self.process.join(patience)
        if self.process.is_alive():
            self.kill()
        return self.outcome.read_text() if self.outcome.exists() else ""
