"""Airflow by REST: start a run for a partition key, follow it, and say why it failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import requests

from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings

ENDED = ("success", "failed")
FINISHED = ("success", "failed", "upstream_failed", "skipped", "removed")
LOG_LINES = 25


class RunFailed(LakehouseError):
    """A DAG run that did not succeed, with the end of the log of each task that failed."""


@dataclass(frozen=True)
class Task:
    """One task of a DAG run."""

    name: str
    state: str
    tries: int
    seconds: float | None


@dataclass(frozen=True)
class Run:
    """One DAG run and its tasks."""

    dag: str
    id: str
    key: str | None
    state: str
    started: datetime | None
    ended: datetime | None
    tasks: tuple[Task, ...] = ()

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None

    def in_state(self, *states: str) -> tuple[str, ...]:
        """Names of its tasks in one of these states."""
        return tuple(t.name for t in self.tasks if t.state in states)


class Airflow:
    """Airflow's REST interface, signed in."""

    def __init__(self, settings: Settings) -> None:
        self.address = settings.airflow_url.rstrip("/")
        self._user, self._password = settings.airflow_user, settings.airflow_password
        self._http = requests.Session()

    def sign_in(self) -> None:
        """Get a token for the calls that follow."""
        answer = self._http.post(
            f"{self.address}/auth/token", timeout=30,
            json={"username": self._user, "password": self._password.get_secret_value()},
        )  # fmt: skip
        _check(answer)
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def token(self) -> str:
        """The token that stands for the sign-in."""
        self.sign_in()
        return str(self._http.headers["Authorization"]).removeprefix("Bearer ")

    def call(self, method: str, path: str, **how: Any) -> Any:
        """One call below `/api/v2`; signs in first, and again when the token is too old."""
        if "Authorization" not in self._http.headers:
            self.sign_in()
        answer = self._http.request(method, f"{self.address}/api/v2{path}", timeout=60, **how)
        if answer.status_code == requests.codes.unauthorized:
            self.sign_in()
            answer = self._http.request(method, f"{self.address}/api/v2{path}", timeout=60, **how)
        _check(answer)
        return answer.json() if answer.content else None

    # DAGs -------------------------------------------------------------------------------------------------------

    def await_dag(self, dag: str, seconds: float = 180) -> None:
        """Wait until Airflow has read the DAG's file; its import error is raised."""
        deadline = time.monotonic() + seconds
        while True:
            errors = self.call("GET", "/importErrors")["import_errors"]
            if errors:
                raise LakehouseError(f"Airflow cannot read {errors[0]['filename']}:\n{errors[0]['stack_trace']}")
            if any(each["dag_id"] == dag for each in self.call("GET", "/dags", params={"limit": 100})["dags"]):
                return
            if time.monotonic() > deadline:
                raise LakehouseError(f"Airflow has not read '{dag}' after {seconds:.0f} s. See: make logs PROGRAM=airflow-dags")
            time.sleep(2)

    def pause(self, dag: str, paused: bool = True) -> None:
        """Pause a DAG, or let it go on."""
        self.call("PATCH", f"/dags/{dag}", json={"is_paused": paused})

    def reparse(self, dag: str) -> None:
        """Have the DAG's file read again now, as after a change to `jobs/`."""
        token = self.call("GET", f"/dags/{dag}/details")["file_token"]
        self.call("PUT", f"/parseDagFile/{token}")

    def tasks(self, dag: str) -> set[str]:
        """The DAG's tasks, as its file was last read."""
        return {each["task_id"] for each in self.call("GET", f"/dags/{dag}/tasks")["tasks"]}

    # runs -------------------------------------------------------------------------------------------------------

    def trigger(self, dag: str, key: str) -> Run:
        """Start a run for a partition key."""
        return _run(self.call("POST", f"/dags/{dag}/dagRuns", json={"logical_date": None, "partition_key": key}))

    def backfill(self, dag: str, day: date) -> None:
        """Have the run of a past day made again, as the page's button does."""
        self.call(
            "POST", "/backfills",
            json={
                "dag_id": dag, "from_date": f"{day}T00:00:00Z", "to_date": f"{day}T23:59:59Z",
                "reprocess_behavior": "completed", "max_active_runs": 1,
            },
        )  # fmt: skip

    def runs(self, dag: str, key: str | None = None) -> list[Run]:
        """The DAG's runs, newest first; with `key` only those for it."""
        found = self.call("GET", f"/dags/{dag}/dagRuns", params={"order_by": "-run_after", "limit": 100})["dag_runs"]
        return [_run(each) for each in found if key is None or each.get("partition_key") == key]

    def look(self, run: Run) -> Run:
        """The run as it is now, with its tasks."""
        now = self.call("GET", f"/dags/{run.dag}/dagRuns/{run.id}")
        tasks = self.call("GET", f"/dags/{run.dag}/dagRuns/{run.id}/taskInstances", params={"limit": 1000})
        return _run(now, tasks["task_instances"])

    def clear(self, run: Run, *tasks: str, downstream: bool = True) -> None:
        """Run tasks again, and those below them."""
        self.call(
            "POST", f"/dags/{run.dag}/clearTaskInstances",
            json={"dry_run": False, "dag_run_id": run.id, "task_ids": list(tasks), "include_downstream": downstream, "only_failed": False},
        )  # fmt: skip

    def follow(self, run: Run, seconds: float = 1800, pause: float = 1.5) -> Iterator[Run]:
        """The run as it goes on, until it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            now = self.look(run)
            yield now
            if now.state in ENDED:
                return
            if time.monotonic() > deadline:
                open_tasks = [f"{t.name} ({t.state})" for t in now.tasks if t.state not in FINISHED]
                raise RunFailed(f"{run.dag} {run.key}: not ended after {seconds:.0f} s; unfinished: {', '.join(open_tasks)}")
            time.sleep(pause)

    def wait(self, run: Run, seconds: float = 1800, watch: Callable[[Run], None] | None = None) -> Run:
        """Wait for a run's end, whatever it is; `watch` is given each state of it."""
        now = run
        for now in self.follow(run, seconds):
            if watch:
                watch(now)
        return now

    def succeed(self, run: Run, seconds: float = 1800, watch: Callable[[Run], None] | None = None) -> Run:
        """Wait for a run's end; raises RunFailed with the reasons unless it succeeded."""
        ended = self.wait(run, seconds, watch)
        if ended.state != "success":
            raise RunFailed(self.reasons(ended))
        return ended

    # logs -------------------------------------------------------------------------------------------------------

    def log(self, run: Run, task: str, number: int = 1) -> list[str]:
        """The lines of a task's log, an exception's text as lines of their own."""
        path = f"/dags/{run.dag}/dagRuns/{run.id}/taskInstances/{task}/logs/{number}"
        content = self.call("GET", path, params={"full_content": True})["content"]
        lines: list[str] = []
        for each in content if isinstance(content, list) else str(content).splitlines():
            if not isinstance(each, dict):
                lines.append(str(each))
                continue
            lines += str(each.get("event", "")).splitlines()
            for error in each.get("error_detail") or []:
                lines += f"{error['exc_type']}: {error['exc_value']}".splitlines()
        return [line for line in lines if not line.startswith("::")]

    def reasons(self, run: Run) -> str:
        """Why a run failed: the end of the log of each task that failed."""
        failed = [t for t in run.tasks if t.state == "failed"]
        names, below = ", ".join(t.name for t in failed), ", ".join(run.in_state("upstream_failed"))
        parts = [f"{run.dag} {run.key or ''}: {run.state}; failed: {names or 'none'}; not run: {below or 'none'}."]
        parts += [f"{self.address}/dags/{run.dag}/runs/{run.id}"]
        for task in failed[:3]:
            parts += [f"── {task.name}, the end of its log", *self.log(run, task.name, max(task.tries, 1))[-LOG_LINES:]]
        return "\n".join(parts)


def _check(answer: requests.Response) -> None:
    if answer.ok:
        return
    try:
        said = answer.json().get("detail", answer.text)
    except ValueError:
        said = answer.text[:500]
    raise LakehouseError(f"Airflow refused {answer.request.method} {answer.url}: {answer.status_code} {said}")


def _run(said: dict[str, Any], tasks: list[dict[str, Any]] | None = None) -> Run:
    return Run(
        said["dag_id"], said["dag_run_id"], said.get("partition_key"), said["state"],
        _moment(said["start_date"]), _moment(said["end_date"]),
        tuple(Task(t["task_id"], t["state"] or "none", t["try_number"], t["duration"]) for t in tasks or []),
    )  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
