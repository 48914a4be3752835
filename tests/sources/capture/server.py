"""A Postgres of the tests' own, which may be killed."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

from infra.stack.programs.postgres import _as_own_user, _system_user, binaries


class OwnServer:
    """A server in a folder; `kill` ends it as a power cut does."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.log = folder / "log"
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            user: pwd.struct_passwd = _system_user()
            for each in (folder, folder.parent, folder.parent.parent):
                each.chmod(0o755)
            os.chown(folder, user.pw_uid, user.pw_gid)
        self.prefix = _as_own_user(self.data)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        subprocess.run(
            [*self.prefix, str(binaries() / "initdb"), "-D", str(self.data), "-U", "postgres", "--auth=trust", "--no-sync",
             "--encoding=UTF8", "--locale=C.UTF-8"], check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def dsn(self, database: str = "postgres") -> str:
        """Where it answers."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, whatever state it was left in; again while processes of the killed one still hold its memory."""
        until = time.monotonic() + 120
        while not self._started():
            assert time.monotonic() < until, self.log.read_text()[-2000:]
            time.sleep(0.5)

    def _started(self) -> bool:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, str(binaries() / "postgres"), "-D", str(self.data), "-p", str(self.port),
                 "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "wal_level=logical",
                 "-c", "shared_buffers=32MB", "-c", "max_slot_wal_keep_size=1GB", "-c", "max_wal_size=128MB", "-c", "jit=off"],
                stdout=log, stderr=log, start_new_session=True, cwd="/",
            )  # fmt: skip
        while self.process.poll() is None:
            try:
                psycopg.connect(self.dsn(), connect_timeout=2).close()
                return True
            except psycopg.OperationalError:
                time.sleep(0.1)
        return False

    def kill(self) -> None:
        """SIGKILL: no checkpoint, no goodbye."""
        assert self.process
        self.process.kill()
        self.process.wait()
        until = time.monotonic() + 30
        while self._answers() and time.monotonic() < until:
            time.sleep(0.05)

    def stop(self) -> None:
        """End it for good."""
        assert self.process
        self.process.send_signal(3)
        self.process.wait(30)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection that commits each statement."""
        return psycopg.connect(self.dsn(database), autocommit=True, options="-c timezone=UTC")
