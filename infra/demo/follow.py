"""A DAG run followed on the terminal: how far it is and what it is doing now."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from infra.demo.rest import FINISHED, Airflow, Run

NOW = ("running", "deferred", "up_for_reschedule", "up_for_retry")
SHOWN = 4


class Follower:
    """Follows runs, on a terminal with a bar, elsewhere with a line for each task that ends."""

    def __init__(self, airflow: Airflow, console: Console) -> None:
        self.airflow, self.console = airflow, console

    def say(self, line: str) -> None:
        """One line."""
        self.console.print(line, soft_wrap=True)

    def through(self, run: Run) -> Run:
        """Follow a run to its end; raises RunFailed with the reasons unless it succeeds."""
        self.say(f"[bold]{run.dag} {run.key}[/] {self.airflow.address}/dags/{run.dag}/runs/{run.id}")
        return self._bar(run) if self.console.is_terminal else self._lines(run)

    def _bar(self, run: Run) -> Run:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} tasks"),
                   TimeElapsedColumn(), TextColumn("[dim]{task.fields[now]}"))  # fmt: skip
        with Progress(*columns, console=self.console, transient=True) as progress:
            bar = progress.add_task(run.dag, total=None, now="queued")

            def watch(now: Run) -> None:
                progress.update(bar, total=len(now.tasks) or None, completed=len(now.in_state(*FINISHED)), now=_doing(now))

            ended = self.airflow.succeed(run, watch=watch)
        self.say(f"{ended.dag} {ended.key}: {len(ended.tasks)} tasks in {ended.seconds or 0:.0f} s")
        return ended

    def _lines(self, run: Run) -> Run:
        told: set[str] = set()

        def watch(now: Run) -> None:
            for task in now.tasks:
                if task.state in FINISHED and task.name not in told:
                    told.add(task.name)
                    self.say(f"  {len(told):>3}/{len(now.tasks)} {task.name}: {task.state}, {task.seconds or 0:.1f} s")

        return self.airflow.succeed(run, watch=watch)


def _doing(run: Run) -> str:
    names = run.in_state(*NOW)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more if names else run.state
