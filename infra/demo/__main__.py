"""python -m infra.demo: the simulated company, an hourly and a nightly run through Airflow, and what came of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from infra.demo import summary
from infra.demo.follow import Follower
from infra.demo.rest import Airflow, Run
from infra.world.__main__ import here
from infra.world.advance import World
from lakehouse.errors import LakehouseError
from lakehouse.settings import REPOSITORY, settings

DAGS = ("hourly", "nightly", "weekly", "maintenance")


def last_hour(now: datetime) -> str:
    """The key of the last hour that is over."""
    return (now.astimezone(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H")


def last_day(now: datetime) -> date:
    """The last day that is over."""
    return now.astimezone(UTC).date() - timedelta(days=1)


def found_company(console: Console, now: datetime) -> None:
    """Found the simulated company unless there is one, and let it live on."""
    size = os.environ.get("LAKEHOUSE_DEMO_SIZE", "small")
    with Progress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"), console=console) as progress:
        bar = progress.add_task("The simulated company", total=100)

        def tell(line: str) -> None:
            reached = re.search(r"(\d{4}-\d\d-\d\d).*?(\d+)%", line)
            if reached:
                progress.update(bar, completed=int(reached[2]), description=f"The simulated company lives, {reached[1]}")

        world = World(here(), tell)
        standing = world.standing()
        if standing is None:
            world.create(size, now)
        else:
            world.advance(now)
        progress.update(bar, completed=100)
    counts = world.counts()
    told = ", ".join(f"{counts[t]:,} {t}" for t in ("customers", "products", "orders"))
    console.print(f"[bold]The company[/] has {told}; it goes on living while the stack is up")
    started = subprocess.run(
        [sys.executable, "-m", "infra.stack", "start", "world"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if started.returncode:
        raise LakehouseError(f"The company's clock did not start: {started.stderr[-500:]}\nSee: make logs PROGRAM=world")


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
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # progress is seen through a pipe too
    console = Console(highlight=False)
    now = datetime.now(UTC)
    try:
        found_company(console, now)
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
        console.print("[bold red]The demo stopped.[/]")
        console.print(str(error), markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
