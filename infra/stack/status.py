"""What a person wants to know of a stack: what runs, what it takes, where to sign in."""

import time

import psutil

from infra.stack import credentials, processes
from infra.stack.programs import airflow
from infra.stack.stack import Stack
from infra.stack.supervisor import RUNNING, State


def report(stack: Stack) -> tuple[str, bool]:
    """The report and whether every program that was started runs."""
    config = stack.config
    if not stack.supervisor.is_up():
        left = stack.supervisor.processes()
        more = f"; {len(left)} processes are left of it, `make up` or `make down` ends them" if left else ""
        return f"No stack is up in {config.home}{more}. Start it: make up", False
    states = stack.supervisor.states()
    lines = [f"Stack in {config.home}", ""]
    total = 0
    for state in states.values():
        size = processes.memory(_tree(state)) if state.pid else 0
        total += size
        lines.append(f"  {state.name:<18} {_life(state):<28} {f'{size / 1e6:6.0f} MB' if size else ''}".rstrip())
    total = processes.memory(stack.supervisor.processes())
    verdict = "within" if total <= config.goal_gb * 1e9 else "ABOVE"
    lines += [
        f"  {'together':<18} {'':<28} {total / 1e6:6.0f} MB  ({verdict} the goal of {config.goal_gb:g} GB)",
        "",
        *_sign_ins(stack),
    ]
    failed = [each for each in states.values() if each.state in ("FATAL", "BACKOFF", "EXITED")]
    return "\n".join(lines), not failed


def _life(state: State) -> str:
    if state.state == RUNNING:
        return f"running for {_span(time.time() - state.started)}"
    if not state.started:
        return "not started"
    return f"{state.state.lower()}: {state.why}"[:60]


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _tree(state: State) -> list[psutil.Process]:
    try:
        top = psutil.Process(state.pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _sign_ins(stack: Stack) -> list[str]:
    given, ports = credentials.read(stack.config.home), stack.config.ports
    warehouse = f"psql 'host=127.0.0.1 port={ports.postgres} dbname=warehouse user=analyst'"
    store = f"{given.s3_access_key} / {given.s3_secret_key}"
    return [
        f"  Airflow           http://127.0.0.1:{ports.airflow}    {airflow.USER} / {given.airflow_admin}",
        f"  MinIO console     http://127.0.0.1:{ports.console}    {store}",
        f"  MLflow            http://127.0.0.1:{ports.mlflow}    (no sign-in)",
        f"  Warehouse, read   {warehouse}    password {given.analyst}",
        f"  Spark Connect     sc://localhost:{ports.spark}    token {given.spark}",
    ]
