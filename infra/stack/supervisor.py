"""supervisord: its file, its start and end, and how to speak with it."""

import hashlib
import http.client
import json
import os
import shlex
import socket
import subprocess
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from supervisor import xmlrpc as rpc

from infra.stack.config import Config
from infra.stack.files import private_folder, tail, write_private
from infra.stack.processes import MARK, Session, of_stack
from infra.stack.programs.program import Program
from lakehouse.errors import LakehouseError
from lakehouse.settings import REPOSITORY

SOCKET_PATH_LIMIT = 100
ENDED_AT_ONCE = (rpc.Faults.ABNORMAL_TERMINATION, rpc.Faults.SPAWN_ERROR)
RUNNING, STARTING, BACKOFF, FATAL = "RUNNING", "STARTING", "BACKOFF", "FATAL"


@dataclass(frozen=True)
class State:
    """What the supervisor knows of a program."""

    name: str
    state: str
    pid: int
    started: float
    stopped: float
    exit_status: int
    why: str


class Supervisor:
    """The supervisor of one stack; nothing runs until :meth:`start`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.file = config.run / "supervisord.conf"
        self.log = config.logs / "supervisord.log"

    def write(self, programs: list[Program]) -> bool:
        """Write its file (mode 0600: programs' environments hold secrets); says whether it changed."""
        text = _text(self.config, self.socket, programs)
        changed = not self.file.exists() or self.file.read_text() != text
        write_private(self.file, text)
        return changed

    @property
    def socket(self) -> Path:
        """Its control socket; elsewhere when the folder's path is too long for a socket."""
        near = self.config.run / "supervisor.sock"
        if len(str(near)) < SOCKET_PATH_LIMIT:
            return near
        mark = hashlib.sha256(str(self.config.home).encode()).hexdigest()[:12]
        return Path("/tmp") / f"lakehouse-{os.getuid()}-{mark}" / "supervisor.sock"

    def is_up(self) -> bool:
        """Whether it answers; a pid file alone proves nothing."""
        try:
            return bool(self._call("supervisor.getState")["statename"] == "RUNNING")
        except OSError:
            return False

    def start(self, python: Path) -> None:
        """Start it; pid file and socket of one that was killed are taken away first."""
        private_folder(self.socket.parent)
        private_folder(self.config.logs)
        for stale in (self.socket, self.config.run / "supervisord.pid"):
            stale.unlink(missing_ok=True)
        said = self.config.logs / "supervisord.out"
        with said.open("w") as out:
            started = subprocess.Popen(
                [str(python), "-m", "infra.stack.keeper", "--nodaemon", "-c", str(self.file)],
                env={**_environment(self.config), "PYTHONPATH": str(REPOSITORY)},
                cwd=self.config.repository, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        opened = psutil.Process(started.pid).create_time()
        write_private(self._session_file, json.dumps({"number": started.pid, "opened": opened}))
        for _ in range(150):
            if self.is_up():
                return
            if started.poll() is not None:
                break
            time.sleep(0.1)
        raise LakehouseError(f"supervisord did not start. End of {said}:\n{tail(said)}")

    @property
    def session(self) -> Session | None:
        """The session of the supervisor that was started last, whether it lives or not."""
        if not self._session_file.exists():
            return None
        return Session(**json.loads(self._session_file.read_text()))

    @property
    def _session_file(self) -> Path:
        return self.config.run / "session.json"

    def processes(self) -> list[psutil.Process]:
        """Every process of this stack, the supervisor's own among them."""
        return of_stack(self.config.home, self.session)

    def reload(self) -> None:
        """Take over a changed file: programs that changed are stopped, to be started anew."""
        added, changed, removed = self._call("supervisor.reloadConfig")[0]
        for name in [*changed, *removed]:
            self._call("supervisor.stopProcessGroup", name)
            self._call("supervisor.removeProcessGroup", name)
        for name in [*added, *changed]:
            self._call("supervisor.addProcessGroup", name)

    def states(self) -> dict[str, State]:
        """The state of every program by name."""
        return {each["name"]: _state(each) for each in self._call("supervisor.getAllProcessInfo")}

    def start_program(self, name: str) -> None:
        """Start a program unless it runs; one that ends at once is tried again, its state tells."""
        if self.states()[name].state not in (RUNNING, STARTING):
            self._call("supervisor.startProcess", name, False, tolerated=ENDED_AT_ONCE)

    def stop_program(self, name: str, *, wait: bool = True) -> None:
        """Stop a program unless it is stopped."""
        if self.states()[name].state in (RUNNING, STARTING, BACKOFF):
            self._call("supervisor.stopProcess", name, wait)

    def pid(self) -> int:
        """The number of its process."""
        return int(self._call("supervisor.getPID"))

    def shut_down(self) -> None:
        """End the supervisor, after its programs."""
        self._call("supervisor.shutdown")

    def _call(self, method: str, *arguments: str | bool, tolerated: tuple[int, ...] = ()) -> Any:
        server = xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport(self.socket))
        try:
            return getattr(server, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in tolerated:
                return None
            raise LakehouseError(f"supervisord refused {method}{arguments}: {fault.faultString}") from None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=90)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _UnixConnection(self._path)


def _state(known: dict[str, Any]) -> State:
    return State(
        name=known["name"], state=known["statename"], pid=known["pid"], started=known["start"],
        stopped=known["stop"], exit_status=known["exitstatus"], why=known["spawnerr"] or known["description"],
    )  # fmt: skip


def _environment(config: Config) -> dict[str, str]:
    """What every program inherits: where the stack is, and the mark by which `down` finds all of them."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL", "TZ", "USER", "TMPDIR") if name in os.environ}
    return kept | {
        "PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        MARK: str(config.home),
        "LAKEHOUSE_HOME": str(config.home),
        "LAKEHOUSE_REPOSITORY": str(config.repository),
        **{name: value for name, value in os.environ.items() if name == "LAKEHOUSE_JOBS"},
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
    }


def _text(config: Config, control: Path, programs: list[Program]) -> str:
    root = "user=root\n" if os.geteuid() == 0 else ""
    head = f"""\
[supervisord]
logfile={config.logs / "supervisord.log"}
logfile_maxbytes=5MB
logfile_backups=1
pidfile={config.run / "supervisord.pid"}
childlogdir={config.logs}
umask=077
{root}
[unix_http_server]
file={control}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
    return head + "".join(_section(config, each) for each in programs)


def _section(config: Config, program: Program) -> str:
    command = shlex.join(program.command)
    environment = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(program.environment.items()))
    return f"""
[program:{program.name}]
command={_escaped(command)}
environment={environment}
directory={config.repository}
autostart=false
autorestart=true
startsecs=1
startretries=3
stopsignal={program.signal}
stopwaitsecs=25
stopasgroup={"true" if program.whole_group else "false"}
killasgroup=true
redirect_stderr=true
stdout_logfile={config.logs / program.name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=1
"""


def _escaped(value: str) -> str:
    return value.replace("%", "%%")
