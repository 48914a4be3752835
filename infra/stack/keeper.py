"""The supervisor's process: supervisord, adopting what its programs leave behind.

As a child subreaper it becomes the parent of every orphan below it, so `down` finds grandchildren too.
Beside it a copy of the process ends idle Python daemons of Spark: the server starts one of 40 MB for each
session that runs Python and keeps it for ever, and every run of a table is a session.
"""

import ctypes
import os
import signal
import time

import psutil
from supervisor import supervisord

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
EVERY_SECONDS = 60
DAEMON = "pyspark.daemon"


def end_idle_daemons(top: psutil.Process, idle_before: set[int]) -> set[int]:
    """End Spark's daemons without workers now and at the last look; returns those idle now for the first time.

    A session whose daemon is gone starts another when it needs one.
    """
    idle = set()
    for process in top.children(recursive=True):
        try:
            if not _is_daemon(process) or process.children():
                continue
            if process.pid in idle_before:
                process.terminate()
            else:
                idle.add(process.pid)
        except psutil.Error:
            continue
    return idle


def _is_daemon(process: psutil.Process) -> bool:
    # Its workers have its command line; their parent is a daemon, its parent is not.
    parent = process.parent()
    return DAEMON in process.cmdline() and parent is not None and DAEMON not in parent.cmdline()


def _tidy() -> None:
    top, idle = psutil.Process(os.getppid()), set[int]()
    while True:
        time.sleep(EVERY_SECONDS)
        idle = end_idle_daemons(top, idle)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    if os.fork() == 0:
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        _tidy()
    supervisord.main()
