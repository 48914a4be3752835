"""The stack's folder, ports and limits: `stack.toml`, environment variables, what a stack chose itself."""

import json
import os
import socket
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from infra.stack.files import write_private
from lakehouse.errors import LakehouseError
from lakehouse.settings import REPOSITORY, home

DEFAULTS = Path(__file__).parent / "stack.toml"


@dataclass(frozen=True)
class Ports:
    """One port on 127.0.0.1 for each address of the stack."""

    s3: int
    console: int
    postgres: int
    spark: int
    mlflow: int
    airflow: int


@dataclass(frozen=True)
class Config:
    """Everything about a stack that is no secret."""

    home: Path
    repository: Path
    cache: Path
    ports: Ports
    spark_memory: str
    minio_memory: str
    postgres_memory: str
    goal_gb: float
    minimum_gb: float
    parallelism: int
    wait_seconds: float

    @property
    def logs(self) -> Path:
        """Where every program's log is."""
        return self.home / "logs"

    @property
    def run(self) -> Path:
        """Where process ids and locks are."""
        return self.home / "run"


def cache_folder() -> Path:
    """What is made once per machine and shared by every stack on it: environment, jars, MinIO."""
    base = os.environ.get("LAKEHOUSE_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "marketing-lakehouse"


def read() -> Config:
    """The configuration from file and environment; ports a stack chose for itself are kept in its folder."""
    defaults = tomllib.loads(DEFAULTS.read_text())
    folder = home()
    values = {
        (section, name): _override(section, name, default) for section, entries in defaults.items() for name, default in entries.items()
    }
    ports = Ports(**{each.name: int(values["port", each.name]) for each in fields(Ports)})
    return Config(
        home=folder,
        repository=Path(os.environ.get("LAKEHOUSE_REPOSITORY") or REPOSITORY),
        cache=cache_folder(),
        ports=_chosen(folder, ports),
        spark_memory=str(values["memory", "spark"]),
        minio_memory=str(values["memory", "minio"]),
        postgres_memory=str(values["memory", "postgres"]),
        goal_gb=float(values["memory", "goal_gb"]),
        minimum_gb=float(values["disk", "minimum_gb"]),
        parallelism=int(values["airflow", "parallelism"]),
        wait_seconds=float(values["wait", "seconds"]),
    )


def with_free_ports(config: Config) -> Config:
    """The same with ports nobody listens on, kept in the stack's folder so that they stay its own."""
    if not _chosen_file(config.home).exists():
        write_private(_chosen_file(config.home), json.dumps(asdict(_free())))
    return replace(config, ports=_chosen(config.home, config.ports))


def _override(section: str, name: str, default: str | int | float) -> str | int | float:
    variable = f"LAKEHOUSE_{section}_{name}".upper()
    given = os.environ.get(variable)
    if given is None:
        return default
    try:
        return type(default)(given) if not isinstance(default, int) else (float(given) if "." in given else int(given))
    except ValueError:
        raise LakehouseError(f"{variable} is '{given}', but a number is needed, such as {default} (see {DEFAULTS})") from None


def _chosen_file(folder: Path) -> Path:
    return folder / "ports.json"


def _chosen(folder: Path, ports: Ports) -> Ports:
    file = _chosen_file(folder)
    if not file.exists():
        return ports
    kept = json.loads(file.read_text())
    return replace(
        ports,
        **{name: port for name, port in kept.items() if f"LAKEHOUSE_PORT_{name.upper()}" not in os.environ},
    )


def _free() -> Ports:
    # All are held open until every one is chosen, so that none is handed out twice.
    held = [socket.create_server(("127.0.0.1", 0)) for _ in fields(Ports)]
    numbers = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return Ports(*numbers)
