"""Starting and stopping the whole stack, in order, saying what is going on."""

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.stack import credentials, downloads, machine, processes
from infra.stack.config import Config
from infra.stack.files import private_folder, remove, tail, write_private
from infra.stack.programs import airflow, minio, mlflow, postgres, spark, world
from infra.stack.programs.program import Place, Program
from infra.stack.supervisor import FATAL, RUNNING, STARTING, Supervisor
from lakehouse.errors import LakehouseError
from lakehouse.settings import FILE

Say = Callable[[str], None]
LIGHT = ("minio", "postgres", "spark", "mlflow")
FULL = (*LIGHT, *airflow.ROLES)
STAGES = (
    ("minio", "postgres"),
    ("spark", "mlflow"),
    ("airflow-api",),
    ("airflow-scheduler", "airflow-dags", "airflow-triggerer"),
)
"""What starts together; each stage waits for the one before."""


@dataclass
class Stack:
    """The programs of one folder."""

    config: Config
    say: Say

    @property
    def supervisor(self) -> Supervisor:
        """Who starts and stops the programs."""
        return Supervisor(self.config)

    def up(self, wanted: tuple[str, ...] = FULL) -> None:
        """Bring every wanted program up; what runs already is left alone, what is broken repaired."""
        config = self.config
        machine.require_room(config.home, config.minimum_gb)
        private_folder(config.home)
        with self._alone():
            place = self._place()
            self._clear_leftovers()
            programs = {each.name: each for each in self.programs(place)}
            changed = self.supervisor.write(list(programs.values()))
            if not self.supervisor.is_up():
                self._check_ports([programs[name] for name in wanted])
                self.supervisor.start(place.python)
            elif changed:
                self.supervisor.reload()
            write_private(config.home / FILE, _settings(place))
            for stage in STAGES:
                self._start([programs[name] for name in stage if name in wanted])

    def start(self, name: str) -> None:
        """Start one program of a stack that is up."""
        self._known(name)
        self._start([next(each for each in self.programs(self._place()) if each.name == name)])

    def stop(self, name: str) -> None:
        """Stop one program of a stack that is up."""
        self._known(name)
        self.say(f"{name:<18} stopping")
        self.supervisor.stop_program(name)

    def down(self) -> int:
        """Stop everything, in reverse order, and what a program left; says how many had to be ended."""
        left = 0
        with self._alone():
            if self.supervisor.is_up():
                for stage in reversed((*STAGES, ("world",))):
                    self._stop_stage(stage)
                # While the supervisor lives it is the parent of orphans: later nobody knows whose they were.
                left = processes.stop(each for each in self._processes() if not processes.is_keeper(each))
                self.supervisor.shut_down()
                _wait(lambda: not self.supervisor.is_up(), 20)
            left += processes.stop(self._processes())
            if left:
                self.say(f"ended {left} processes that were left")
            for stale in (self.supervisor.socket, self.config.run / "supervisord.pid"):
                stale.unlink(missing_ok=True)
            return left

    def reset(self) -> None:
        """Stop everything and forget the data, the secrets and the ports."""
        if not self.config.home.exists():
            return
        if not _is_ours(self.config.home):
            raise LakehouseError(f"{self.config.home} does not look like a stack's folder; nothing was removed")
        self.down()
        remove(self.config.home)

    def programs(self, place: Place) -> list[Program]:
        """Every program the supervisor knows, in order of start."""
        return [
            minio.program(place), postgres.program(place), spark.program(place), mlflow.program(place),
            *airflow.programs(place), world.program(place),
        ]  # fmt: skip

    def _place(self) -> Place:
        config = self.config
        return Place(
            config=config,
            credentials=credentials.read_or_make(config.home, config.home / "postgres"),
            python=Path(sys.executable),
            jars=downloads.jars(config.cache, self.say),
            minio=downloads.minio(config.cache, self.say),
            java=machine.require_java(self.say),
        )

    def _known(self, name: str) -> None:
        if not self.supervisor.is_up():
            raise LakehouseError(f"No stack is up in {self.config.home}. Start it: make up")
        if name not in self.supervisor.states():
            raise LakehouseError(f"'{name}' is no program. Programs: {', '.join(self.supervisor.states())}")

    def _clear_leftovers(self) -> None:
        if self.supervisor.is_up():
            return
        left = self._processes()
        if left:
            self.say(f"{len(left)} processes are left of a supervisor that was killed; ending them")
            processes.stop(left)

    def _processes(self) -> list[psutil.Process]:
        return [each for each in self.supervisor.processes() if each.pid != os.getpid()]

    def _check_ports(self, programs: list[Program]) -> None:
        taken = [
            f"  port {port} ({name}) is held by {processes.describe(processes.holder(port))}"
            for program in programs
            for name, port in program.ports.items()
            if not processes.is_free(port)
        ]
        if taken:
            first = taken[0].split("(")[1].split(")")[0].upper()
            raise LakehouseError(
                "\n".join(
                    [
                        "The stack cannot start, ports are occupied:",
                        *taken,
                        f"Stop those processes, choose other ports (LAKEHOUSE_PORT_{first}=… make up; all "
                        "are in infra/stack/stack.toml), or let free ones be chosen: make up FREE_PORTS=1",
                    ]
                )
            )

    def _start(self, programs: list[Program]) -> None:
        """Start programs together and wait until each is ready."""
        states = self.supervisor.states()
        began = time.time()
        for program in programs:
            if states[program.name].state not in (RUNNING, STARTING):
                self._check_ports([program])
                self.say(f"{program.name:<18} starting: {program.title}")
                if program.prepare:
                    program.prepare()
                self.supervisor.start_program(program.name)
        for program in programs:
            already = states[program.name].state == RUNNING
            self._wait_until_ready(program)
            if program.finish:
                program.finish()
            self.say(f"{program.name:<18} " + ("is up" if already else f"ready after {time.time() - began:.0f} s"))

    def _wait_until_ready(self, program: Program) -> None:
        wrong: str | None = "it was not asked yet"
        deadline = time.monotonic() + self.config.wait_seconds
        while time.monotonic() < deadline:
            state = self.supervisor.states()[program.name]
            if state.state == FATAL:
                self._give_up(program, f"it ended at once, {state.why}")
            if state.state == RUNNING:
                wrong = program.ready(state.started)
                if wrong is None:
                    return
            else:
                wrong = f"it is {state.state.lower()}: {state.why}"
            time.sleep(0.5)
        self._give_up(program, f"not ready after {self.config.wait_seconds:.0f} s: {wrong}")

    def _give_up(self, program: Program, why: str) -> None:
        log = self.config.logs / f"{program.name}.log"
        end = tail(log)
        meaning = [f"Probably {hint}." for sign, hint in program.hints.items() if sign in end]
        raise LakehouseError(
            "\n".join(
                [
                    f"{program.title} ({program.name}) did not get ready: {why}",
                    f"End of {log}:",
                    *(f"  | {line}" for line in end.splitlines()),
                    *(meaning or ["Repair what the log names; `make up` then goes on from here."]),
                ]
            )
        )

    def _stop_stage(self, stage: tuple[str, ...]) -> None:
        states = self.supervisor.states()
        running = [name for name in stage if name in states and states[name].pid]
        for name in running:
            self.say(f"{name:<18} stopping")
            self.supervisor.stop_program(name, wait=False)
        _wait(lambda: not any(self.supervisor.states()[name].pid for name in running), 30)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self.config.home.exists():
            yield
            return
        private_folder(self.config.run)
        with (self.config.run / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise LakehouseError(
                    f"Another command is starting or stopping the stack in {self.config.home} "
                    f"(process {lock.read().strip() or 'unknown'}). Wait for it, or end it"
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            os.set_inheritable(lock.fileno(), False)
            yield


def _settings(place: Place) -> str:
    config, given = place.config, place.credentials
    ports = config.ports
    values = {
        "SPARK_URL": f"sc://localhost:{ports.spark}",
        "SPARK_TOKEN": given.spark,
        "S3_ENDPOINT": f"http://127.0.0.1:{ports.s3}",
        "S3_ACCESS_KEY": given.s3_access_key,
        "S3_SECRET_KEY": given.s3_secret_key,
        "S3_REGION": "us-east-1",
        "WAREHOUSE_URL": postgres.url(config, "loader", given.loader, "warehouse"),
        "READER_URL": postgres.url(config, "analyst", given.analyst, "warehouse"),
        "SHOP_URL": postgres.url(config, "shop", given.shop, "shop"),
        "LOYALTY_URL": postgres.url(config, "shop", given.shop, "shop"),
        "MLFLOW_URL": f"http://127.0.0.1:{ports.mlflow}",
        "AIRFLOW_URL": f"http://127.0.0.1:{ports.airflow}",
        "AIRFLOW_USER": airflow.USER,
        "AIRFLOW_PASSWORD": given.airflow_admin,
    }
    head = "# Written by the stack at every start. Environment variables of the same names win.\n"
    return head + "".join(f"LAKEHOUSE_{name}={value}\n" for name, value in values.items())


def _is_ours(folder: Path) -> bool:
    return any((folder / each).exists() for each in (credentials.FILE, FILE, "run", "ports.json")) or not any(folder.iterdir())


def _wait(until: Callable[[], bool], seconds: float) -> None:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if until():
            return
        time.sleep(0.2)
