"""Which processes belong to a stack, and which one holds a port."""

import socket
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

MARK = "LAKEHOUSE_SUPERVISED"
"""Every program of a stack, and whatever it starts, has this in its environment: the stack's folder."""


def of_stack(home: Path) -> list[psutil.Process]:
    """Every process of the stack in this folder, however deep, also of a supervisor that was killed."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return found


def stop(processes: Iterable[psutil.Process], *, patience: float = 10) -> int:
    """Ask processes to end, then end them; says how many there were."""
    asked = list(processes)
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


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return
