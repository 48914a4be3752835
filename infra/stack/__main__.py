"""The stack's commands: `python -m infra.stack up|down|status|logs|start|stop|restart|reset|jars|minio`."""

import sys
import time
from dataclasses import replace
from typing import Annotated

import typer

from infra.stack import config as configuration
from infra.stack import downloads
from infra.stack.files import tail
from infra.stack.stack import FULL, LIGHT, Stack
from infra.stack.status import report
from lakehouse.errors import LakehouseError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="The local stack.")
STARTED = time.monotonic()


def _say(line: str) -> None:
    print(f"[{time.monotonic() - STARTED:5.1f} s] {line}", file=sys.stderr, flush=True)


def _stack() -> Stack:
    return Stack(configuration.read(), _say)


@app.command()
def up(
    light: Annotated[bool, typer.Option(help="Without Airflow: store, database, Spark, MLflow.")] = False,
    free_ports: Annotated[bool, typer.Option(help="Choose free ports and keep them for this folder.")] = False,
) -> None:
    """Start whatever is not running, repair what is broken, wait until all is ready."""
    stack = _stack()
    if free_ports:
        stack.config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        stack = replace(stack, config=configuration.with_free_ports(stack.config))
    stack.up(LIGHT if light else FULL)
    _say("the stack is up; addresses and sign-ins: make status")


@app.command()
def down() -> None:
    """Stop everything, leaving no process."""
    _stack().down()
    _say("the stack is down")


@app.command()
def reset() -> None:
    """Stop everything and forget all data."""
    stack = _stack()
    stack.reset()
    _say(f"{stack.config.home} is gone")


@app.command()
def status() -> None:
    """What runs, how much memory it takes, addresses and sign-ins; exit 1 if something is not running."""
    text, healthy = report(_stack())
    print(text)
    raise typer.Exit(0 if healthy else 1)


@app.command()
def logs(
    program: Annotated[str, typer.Argument(help="One program; all of them if not given.")] = "",
    lines: Annotated[int, typer.Option("-n", help="How many lines of each.")] = 20,
) -> None:
    """The end of the programs' logs."""
    folder = configuration.read().logs
    found = sorted(folder.glob(f"{program or '*'}.log"))
    if not found:
        raise LakehouseError(f"No log of '{program or 'any program'}' in {folder}")
    for log in found:
        print(f"==> {log}\n{tail(log, lines)}\n")


@app.command()
def start(program: str) -> None:
    """Start one program and wait until it is ready."""
    _stack().start(program)


@app.command()
def stop(program: str) -> None:
    """Stop one program."""
    _stack().stop(program)


@app.command()
def restart(program: str) -> None:
    """Stop one program and start it again."""
    stack = _stack()
    stack.stop(program)
    stack.start(program)


@app.command()
def jars() -> None:
    """Fetch the Spark server's jars, if they are missing."""
    _say(f"jars: {downloads.jars(configuration.cache_folder(), _say)}")


@app.command()
def minio() -> None:
    """Build MinIO, if it is missing."""
    _say(f"MinIO: {downloads.minio(configuration.cache_folder(), _say)}")


def main() -> None:
    """Run a command; a known failure is a message, not a traceback."""
    try:
        app()
    except LakehouseError as failure:
        print(f"\n{failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\ninterrupted; the next `make up` goes on from here", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
