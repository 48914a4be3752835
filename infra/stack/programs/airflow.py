"""Airflow's four programs, configured by one file that only its owner can read."""

import configparser
import io
import json
import os
import subprocess
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from infra.stack.files import private_folder, write_private
from infra.stack.programs.postgres import url
from infra.stack.programs.program import Place, Program, answers
from lakehouse.errors import LakehouseError

USER = "admin"
ROLES = {
    "airflow-api": ("Airflow: pages and REST", ["api-server"], "metadatabase"),
    "airflow-scheduler": ("Airflow: scheduler", ["scheduler", "--skip-serve-logs"], "scheduler"),
    "airflow-dags": ("Airflow: DAG files", ["dag-processor"], "dag_processor"),
    "airflow-triggerer": ("Airflow: waits", ["triggerer", "--skip-serve-logs"], "triggerer"),
}
"""Program → its title, its command, its part of the health report."""
HINTS = {
    "No space left on device": "the disk is full: make room, then `make up` again",
    "password authentication failed": "its role has another password: `make up` sets it again",
    "Please initialize the database": "its database is half set up: `make up` sets it up again",
}


def programs(place: Place) -> list[Program]:
    """The pages and REST first: the others and every task report to them."""
    address = f"http://127.0.0.1:{place.config.ports.airflow}"
    return [
        Program(
            name=name,
            title=title,
            command=[str(place.python), "-m", "airflow", *command],
            environment=environment(place),
            ports={"airflow": place.config.ports.airflow} if name == "airflow-api" else {},
            whole_group=False,
            prepare=(lambda: _set_up(place)) if name == "airflow-api" else None,
            ready=_heartbeat(address, part),
            hints=HINTS,
        )
        for name, (title, command, part) in ROLES.items()
    ]


def environment(place: Place) -> dict[str, str]:
    """What an Airflow process needs to find its file, our code and the stack; no secret."""
    return {
        "AIRFLOW_HOME": str(place.config.home / "airflow"),
        "PYTHONPATH": str(place.config.repository),
        "PATH": os.pathsep.join([str(place.python.parent), os.environ.get("PATH", "")]),
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        # Links from a task to its objects.
        "LAKEHOUSE_S3_CONSOLE": f"http://127.0.0.1:{place.config.ports.console}",
        # Airflow's own, at the start and end of every task's log.
        "PYTHONWARNINGS": "ignore::DeprecationWarning",
    }


def _configuration(place: Place) -> dict[str, dict[str, str]]:
    config, credentials = place.config, place.credentials
    folder = config.home / "airflow"
    address = f"http://127.0.0.1:{config.ports.airflow}"
    database = url(config, "airflow", credentials.airflow_database, "airflow")
    transport = {"type": "file", "log_file_path": str(config.home / "openlineage.jsonl"), "append": True}
    return {
        "core": {
            "dags_folder": str(config.repository / "dags"),
            "plugins_folder": str(config.repository / "plugins"),
            "executor": "LocalExecutor",
            "parallelism": str(config.parallelism),
            "load_examples": "False",
            "fernet_key": credentials.airflow_fernet,
            "simple_auth_manager_users": f"{USER}:admin",
            "simple_auth_manager_passwords_file": str(folder / "passwords.json"),
            "execution_api_server_url": f"{address}/execution/",
            "max_active_runs_per_dag": "1",
            "default_timezone": "utc",
        },
        "database": {
            "sql_alchemy_conn": database.replace("postgresql://", "postgresql+psycopg2://"),
            "sql_alchemy_conn_async": database.replace("postgresql://", "postgresql+asyncpg://"),
            "sql_alchemy_pool_size": "3",
            "load_default_connections": "False",
        },
        "api": {
            "host": "127.0.0.1",
            "port": str(config.ports.airflow),
            "base_url": address,
            "workers": "1",
            "secret_key": credentials.airflow_api,
            "expose_config": "False",
            "instance_name": "Marketing lakehouse",
        },
        "api_auth": {"jwt_secret": credentials.airflow_jwt},
        # A task that gets no answer within 5 s (the default) counts as failed before it began: a busy machine takes longer.
        "workers": {"execution_api_timeout": "30"},
        "scheduler": {
            "enable_health_check": "False",
            "catchup_by_default": "False",
            # A worker that was killed is noticed after this long (300 s by default), and its task tried again.
            "task_instance_heartbeat_timeout": "90",
        },
        "dag_processor": {
            "parsing_processes": "1",
            "min_file_process_interval": "120",
            "refresh_interval": "30",
            "dag_version_inflation_check_level": "error",
        },
        "triggerer": {"capacity": "50"},
        "logging": {
            "base_log_folder": str(config.logs / "airflow"),
            "dag_processor_child_process_log_directory": str(config.logs / "airflow" / "dag_processor"),
            "logging_level": "INFO",
            # They speak after the reason of a failure, which belongs at the end of a task's log.
            "namespace_levels": "airflow.providers.openlineage=WARNING openlineage=WARNING",
            "colored_console_log": "False",
        },
        "openlineage": {"transport": json.dumps(transport), "namespace": "lakehouse"},
        "usage_data_collection": {"enabled": "False"},
    }


def _set_up(place: Place) -> None:
    folder = private_folder(place.config.home / "airflow")
    write_private(folder / "airflow.cfg", _text(_configuration(place)))
    write_private(folder / "passwords.json", json.dumps({USER: place.credentials.airflow_admin}))
    private_folder(place.config.logs / "airflow")
    for part in ("dags", "plugins"):
        if not (place.config.repository / part).is_dir():
            raise LakehouseError(f"{place.config.repository / part} is missing: Airflow reads its {part} there")
    done_for = folder / "database"
    if done_for.exists() and done_for.read_text() == _version(place.python):
        return
    migrated = subprocess.run(
        [str(place.python), "-m", "airflow", "db", "migrate"],
        env={**os.environ, **environment(place)}, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    if migrated.returncode:
        raise LakehouseError(f"Airflow could not set up its database:\n{(migrated.stdout + migrated.stderr)[-2500:]}")
    # Written last: a migration that was interrupted is done again.
    write_private(done_for, _version(place.python))


def _version(python: Path) -> str:
    found = next((python.parent.parent / "lib").glob("python3*/site-packages/apache_airflow-*.dist-info"))
    return found.name


def _text(sections: dict[str, dict[str, str]]) -> str:
    file = configparser.RawConfigParser()
    for section, values in sections.items():
        # Airflow expands % in values.
        file[section] = {name: value.replace("%", "%%") for name, value in values.items()}
    out = io.StringIO()
    file.write(out)
    return out.getvalue()


def _heartbeat(address: str, part: str) -> Callable[[float], str | None]:
    def ready(started: float) -> str | None:
        health = f"{address}/api/v2/monitor/health"
        silent = answers(health)
        if silent:
            return silent
        with urllib.request.urlopen(health, timeout=5) as reply:
            report = json.load(reply)[part]
        if report["status"] != "healthy":
            return f"Airflow calls its {part} {report['status'] or 'not started'}"
        beat = next((value for name, value in report.items() if name.startswith("latest_") and value), None)
        # The last beat of the process before this one counts as healthy for half a minute.
        if beat and datetime.fromisoformat(beat).timestamp() < started:
            return f"no sign of life of this {part} yet"
        return None

    return ready
