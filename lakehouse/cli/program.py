"""The command line's frame: how answers are printed, how errors end, which tables are meant."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from lakehouse.graph import Graph

REFUSED, WRONG_USE = 1, 2


class Shape(StrEnum):
    """How an answer is printed."""

    table = "table"
    json = "json"
    csv = "csv"


class Drawing(StrEnum):
    """How the graph is printed."""

    tree = "tree"
    json = "json"
    mermaid = "mermaid"


class TextOrJson(StrEnum):
    """Lines for a person, or JSON for a program."""

    text = "text"
    json = "json"


class CommandLine(typer.Typer):
    """Errors made on purpose are text on stderr and an exit code; LAKEHOUSE_DEBUG=1 shows where they come from."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run, at the top boundary of the process."""
        if os.environ.get("LAKEHOUSE_DEBUG"):
            return super().__call__(*args, **kwargs)
        try:
            return super().__call__(*args, **kwargs)
        except LakehouseError as refused:
            from lakehouse.graph import UnknownTable

            print(refused, file=sys.stderr)
            sys.exit(WRONG_USE if isinstance(refused, UnknownTable) else REFUSED)
        except Exception as error:  # noqa: BLE001 — the process ends here, and says why
            from lakehouse.cli.failures import told

            print(told(error), file=sys.stderr)
            sys.exit(REFUSED)


app = CommandLine(
    help="The marketing lakehouse: tables, their order, their runs and what they hold.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

Name = Annotated[str, typer.Argument(metavar="TABLE", help="A table's name.")]
Format = Annotated[Shape, typer.Option("--format", help="How the answer is printed.")]
Lines = Annotated[TextOrJson, typer.Option("--format", help="Text, or JSON for programs.")]


def declared() -> Graph:
    """The graph of the package named by LAKEHOUSE_JOBS (`jobs` unless set)."""
    from lakehouse.graph import load

    return load(os.environ.get("LAKEHOUSE_JOBS") or "jobs")


def wrong_use(text: str) -> NoReturn:
    """Say what is wrong with how a command was used, and end."""
    typer.echo(text, err=True)
    raise typer.Exit(WRONG_USE)
