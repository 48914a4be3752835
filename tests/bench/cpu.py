"""CPU-seconds of processes: this one's, a finished child's, a server's."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from lakehouse.settings import settings


def of_server(program: str = "SparkConnectServer") -> float:
    """User and system seconds so far of the running stack's Spark server and its Python workers."""
    folder = str(settings().home)
    total = 0.0
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if program in line and folder in line:
            for one in (process, *process.children(recursive=True)):
                try:
                    times = one.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                total += times.user + times.system + times.children_user + times.children_system
    return total


def of_children() -> float:
    """Seconds of this process's finished children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass
class Cost:
    """What something cost: CPU-seconds of all processes together, seconds on the clock."""

    cpu: float = 0.0
    wall: float = 0.0

    def __str__(self) -> str:
        return f"{self.cpu:.1f} CPU-s ({self.wall:.0f} s)"


@contextmanager
def measured() -> Iterator[Cost]:
    """Cost of the block: this process, the Spark server, Postgres."""

    def used() -> float:
        return time.process_time() + of_server("SparkConnectServer") + of_server("bin/postgres")

    cost, before, began = Cost(), used(), time.perf_counter()
    yield cost
    cost.wall = time.perf_counter() - began
    cost.cpu = used() - before


def resident_gb(folder: Path) -> float:
    """Proportional memory of all processes of the stack in a folder, GB."""
    total = 0
    for process in psutil.process_iter(["pid", "environ", "cmdline"]):
        environment = process.info["environ"] or {}
        if environment.get("LAKEHOUSE_HOME") == str(folder) or str(folder) in " ".join(process.info["cmdline"] or []):
            try:
                total += process.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
    return total / 1e9


def environment(**more: str) -> dict[str, str]:
    """This environment with additions."""
    return {**os.environ, **more}
