"""The reader of the log and the writer of the lake, each in a process that works on until it is killed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from tests.proofs.writer import _context

TABLES = ("crm__contacts", "crm__deals", "contacts", "deals")
CAPTURED = Path(__file__).parent / "captured"


def _work(environment: dict[str, str], what: str, attempt: str) -> None:
    os.environ.update(environment)
    from lakehouse import storage
    from lakehouse.errors import LakehouseError
    from lakehouse.graph import load
    from lakehouse.run import land, run_table
    from lakehouse.settings import settings

    settings.cache_clear()
    storage.client.cache_clear()
    graph = load(CAPTURED)
    while True:
        try:
            if what == "reader":
                land(graph, "crm")
            else:
                for name in TABLES:
                    run_table(graph, name, record=False, attempt=attempt)
        except LakehouseError as down:  # the server was killed: the next try goes on
            print(f"{what}: {down}", flush=True)
        time.sleep(0.3)


class Worker:
    """One process of a kind, replaced by a new one whenever it is killed."""

    def __init__(self, what: str) -> None:
        self.what, self.number = what, 0
        self.start()

    def start(self) -> None:
        """A new one."""
        self.number += 1
        self.attempt = f"{self.what}-{os.getpid()}-{time.monotonic_ns()}"
        given = {k: v for k, v in os.environ.items() if k.startswith("LAKEHOUSE_")}
        self.process: Any = _context().Process(target=_work, args=(given, self.what, self.attempt), daemon=True)
        self.process.start()

    def kill(self) -> None:
        """SIGKILL; what it left running in Spark is stopped as the operator does it."""
        from lakehouse.run import interrupt

        self.process.kill()
        self.process.join()
        if self.what == "lake":
            interrupt(self.attempt)
