"""python -m infra.demo: the simulated company, an hourly and a nightly run through Airflow, and what came of it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

from rich.console import Console

from infra.demo import summary
from infra.demo.follow import Follower
from infra.demo.rest import Airflow, Run
from lakehouse.errors import LakehouseError
from lakehouse.settings import REPOSITORY, settings

DAGS = ("hourly", "nightly", "weekly", "maintenance")


def last_hour(now: datetime) -> str:
    """The key of the last hour that is over."""
    return (now.astimezone(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H")


def last_day(now: datetime) -> date:
    """The last day that is over."""
    return now.astimezone(UTC).date() - timedelta(days=1)


def found_company(console: Console) -> None:
    """Found the simulated company unless there is one, and let it live on."""
    if _world("status", quiet=True).returncode:
        size = os.environ.get("LAKEHOUSE_DEMO_SIZE", "small")
        console.print(f"[bold]Founding the company[/] (size {size}), with its history up to this hour")
        if _world("create", "--size", size).returncode:
            raise LakehouseError("The company could not be founded; the reason is above. Repair it and start `make demo` again.")
    else:
        console.print("[bold]The company[/] is there and goes on living")
    started = subprocess.run([sys.executable, "-m", "infra.stack", "start", "world"], cwd=REPOSITORY, check=False)
    if started.returncode:
        raise LakehouseError("The company's clock did not start; see: make logs PROGRAM=world")


def run_once(airflow: Airflow, follower: Follower, dag: str, key: str) -> Run:
    """The run of a DAG for a key: the one that succeeded or is under way, or a new one, followed to its end."""
    there = airflow.runs(dag, key)
    done = next((r for r in there if r.state == "success"), None)
    if done is not None:
        follower.say(f"{dag} {key}: done before")
        return airflow.look(done)
    going = next((r for r in there if r.state in ("queued", "running")), None)
    return follower.through(going or airflow.trigger(dag, key))


def main() -> int:
    """Run the demo and return its exit code."""
    console = Console(highlight=False)
    now = datetime.now(UTC)
    try:
        found_company(console)
        airflow = Airflow(settings())
        follower = Follower(airflow, console)
        for dag in DAGS:
            airflow.await_dag(dag)
            airflow.pause(dag, False)
        runs = [
            run_once(airflow, follower, "hourly", last_hour(now)),
            run_once(airflow, follower, "nightly", last_day(now).isoformat()),
        ]
        summary.show(console, runs)
    except LakehouseError as error:
        console.print(f"[bold red]The demo stopped.[/]\n{error}", markup=True)
        return 1
    return 0


def _world(*words: str, quiet: bool = False) -> subprocess.CompletedProcess[bytes]:
    silent = subprocess.DEVNULL if quiet else None
    return subprocess.run(
        [sys.executable, "-m", "infra.world", *words], cwd=REPOSITORY, stdout=silent, stderr=silent, check=False
    )


if __name__ == "__main__":
    sys.exit(main())
