"""Commands of the quarantine: look, mend, give up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lakehouse.cli.program import Format, Lines, Name, Shape, TextOrJson, app, declared

held = typer.Typer(help="Rows held back by a rule, with the reason.", no_args_is_help=True)
app.add_typer(held, name="quarantine")


@held.command("list")
def quarantine_list(format: Format = Shape.table) -> None:
    """Tables with rows held back: how many, for which reasons, since when."""
    from lakehouse.cli import answers
    from lakehouse.cli.held import summary

    answers.print_rows(*summary(declared()), format.value)


@held.command("show")
def quarantine_show(
    table: Name, limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 100, format: Format = Shape.table
) -> None:
    """The rows of one table that were held back, newest first."""
    from lakehouse.cli import answers
    from lakehouse.cli.held import rows_of

    columns, found, more = rows_of(declared(), table, limit)
    answers.print_rows(columns, found, format.value)
    if more:
        typer.echo(f"There are {more} more; --limit shows more.", err=True)


Reason = Annotated[str, typer.Option(help="Only rows whose reason contains this.")]
File = Annotated[str, typer.Option("--file", help="Only rows of objects whose name contains this.")]
By = Annotated[str, typer.Option(help="Who does it; the user of this machine unless given.")]


@held.command("fix")
def quarantine_fix(
    table: Name,
    corrected: Annotated[Path | None, typer.Argument(help="`quarantine show --format json`, with the rows corrected.")] = None,
    id: Annotated[str, typer.Option(help="One row, by its id.")] = "",
    row: Annotated[str, typer.Option(help="That row, corrected: as its source writes it, or as JSON.")] = "",
    by: By = "",
    format: Lines = TextOrJson.text,
) -> None:
    """Land corrected rows: they pass the same rules as any, once."""
    from lakehouse.cli import mending

    whole = declared()
    rows = mending.waiting(whole[table])
    texts = mending.texts_of(rows, corrected, id, row)
    _mended(mending.mend(whole, table, [r for r in rows if r["quarantine_id"] in texts], texts, by), format)


@held.command("replay")
def quarantine_replay(table: Name, reason: Reason = "", file: File = "", by: By = "", format: Lines = TextOrJson.text) -> None:
    """Land rows again as they are, after the contract or a rule has changed; objects that were refused whole are taken again."""
    from lakehouse.cli import mending
    from lakehouse.run.repair import chosen

    whole = declared()
    rows = [dict(r) for r in chosen(mending.waiting(whole[table]), reason=reason, file=file)]
    _mended(mending.mend(whole, table, rows, {}, by), format)


@held.command("expire")
def quarantine_expire(
    table: Name,
    older_than: Annotated[float, typer.Option(min=0, help="Days since they were held back.")],
    why: Annotated[str, typer.Option(help="Why they are given up; it is kept with them.")],
    reason: Reason = "",
    file: File = "",
    by: By = "",
) -> None:
    """Give rows up: out of the quarantine, kept in its history."""
    import getpass

    from lakehouse.cli import mending
    from lakehouse.run.repair import chosen, give_up, must_be_bronze

    whole = declared()
    must_be_bronze(whole[table])
    rows = chosen(mending.waiting(whole[table]), reason=reason, file=file, before=mending.older(older_than))
    if rows:
        give_up(whole[table], rows, by or getpass.getuser(), why)
    typer.echo(f"{table}: {len(rows)} rows given up")


@held.command("history")
def quarantine_history(table: Name, format: Format = Shape.table) -> None:
    """Rows that left the quarantine: corrected, restated or given up; by whom and when."""
    from lakehouse.cli import answers, mending

    answers.print_rows(*mending.history(declared()[table]), format.value)


def _mended(done: dict[str, Any], format: TextOrJson) -> None:
    if format is TextOrJson.json:
        from lakehouse.cli import answers

        answers.print_json(done)
    else:
        typer.echo(f"{done['table']}: {done['sent']} rows sent, {done['landed']} landed, {done['held_again']} held back again")
