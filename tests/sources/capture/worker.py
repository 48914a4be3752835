"""The reader of the log and the writer of the lake, each in a process that works on until it is killed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from tests.proofs.writer import _context

TABLES = ("crm__contacts", "crm__deals", "contacts", "deals")
CAPTURED = Path(__file__).parent / "captured"


def _work(environment: dict[str, str], what: str, noted: str) -> None:
    os.environ.update(environment)
    from lakehouse import storage
    from lakehouse.errors import LakehouseError
    from lakehouse.graph import load
    from lakehouse.run import land, run_table
    from lakehouse.settings import settings

    settings.cache_clear()
    storage.client.cache_clear()
    graph, runs = load(CAPTURED), 0
    while True:
        try:
            if what == "reader":
                land(graph, "crm")
            else:
                for name in TABLES:
                    attempt = f"{name}-{os.getpid()}-{time.monotonic_ns()}"
                    Path(noted).write_text(attempt)
                    run_table(graph, name, record=False, attempt=attempt)
                    runs += 1
                    Path(f"{noted}.runs").write_text(str(runs))
        except LakehouseError as down:  # the server was killed: the next try goes on
            print(f"{what}: {down}", flush=True)
        time.sleep(0.3)


class Worker:
    """One process of a kind, replaced by a new one whenever it is killed."""

    def __init__(self, what: str, folder: Path) -> None:
        self.what, self.noted, self.runs = what, folder / what, 0
        self.start()

    def start(self) -> None:
        """A new one."""
        given = {k: v for k, v in os.environ.items() if k.startswith("LAKEHOUSE_")}
        self.process: Any = _context().Process(target=_work, args=(given, self.what, str(self.noted)), daemon=True)
        self.process.start()

    def kill(self) -> None:
        """SIGKILL; what it left running in Spark is stopped as the operator does it."""
        from lakehouse.run import interrupt

        self.process.kill()
        self.process.join()
        if self.noted.exists():
            interrupt(self.noted.read_text())
        done = Path(f"{self.noted}.runs")
        self.runs += int(done.read_text()) if done.exists() else 0
        done.unlink(missing_ok=True)
