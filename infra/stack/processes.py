"""Which processes belong to a stack, and which one holds a port."""

import os
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "LAKEHOUSE_SUPERVISED"
"""Every program of a stack, and whatever it starts, has this in its environment: the stack's folder."""


@dataclass(frozen=True)
class Session:
    """The session a supervisor opened: its number, and when, since numbers are used again."""

    number: int
    opened: float

    def holds(self, process: psutil.Process) -> bool:
        """Whether a process was started in this session."""
        try:
            if os.getsid(process.pid) != self.number or process.create_time() < self.opened - 1:
                return False
            leader = psutil.Process(self.number)
            return abs(leader.create_time() - self.opened) < 1
        except psutil.NoSuchProcess:
            # Its leader was killed: what is left of it is still ours.
            return psutil.pid_exists(process.pid)
        except ProcessLookupError:
            return False


def of_stack(home: Path, session: Session | None) -> list[psutil.Process]:
    """Every process of the stack in this folder, however deep, also of a supervisor that was killed.

    The mark alone misses programs that write their title over their environment (Postgres, Airflow): those
    are known by the supervisor's session, or by their parents.
    """
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(home) or (session and session.holds(process)):
                found |= {each.pid: each for each in (process, *process.children(recursive=True))}
        except psutil.Error:
            continue
    return list(found.values())


def is_keeper(process: psutil.Process) -> bool:
    """Whether it is the supervisor itself, or the copy of it that ends idle daemons."""
    try:
        return "infra.stack.keeper" in process.cmdline()
    except psutil.Error:
        return False


def stop(processes: Iterable[psutil.Process], *, patience: float = 10) -> int:
    """Ask processes to end, then end them; says how many there were."""
    asked = [each for each in processes if _lives(each)]
    for process in asked:
        _signal(process, kill=False)
    _, deaf = psutil.wait_procs(asked, timeout=patience)
    for process in deaf:
        _signal(process, kill=True)
    psutil.wait_procs(deaf, timeout=5)
    return len(asked)


def memory(processes: Iterable[psutil.Process]) -> int:
    """Bytes of memory, shared pages counted once among those who share them."""
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def holder(port: int) -> psutil.Process | None:
    """The process that listens on a port, if this user may know."""
    for connection in psutil.net_connections(kind="tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
            return psutil.Process(connection.pid)
    return None


def describe(process: psutil.Process | None) -> str:
    """A process for a person: number, name, the beginning of its command and since when it runs."""
    if process is None:
        return "a process of another user"
    try:
        command = " ".join(process.cmdline())[:80] or process.name()
        minutes = (time.time() - process.create_time()) / 60
        return f"process {process.pid} ({command}; user {process.username()}, running for {minutes:.0f} min)"
    except psutil.Error:
        return f"process {process.pid}"


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return
