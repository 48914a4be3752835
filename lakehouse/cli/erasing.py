"""`lakehouse erase`: where a person is told of, and taking the person out."""

from __future__ import annotations

from typing import Annotated

import typer

from lakehouse.cli.program import Lines, TextOrJson, app, declared


@app.command()
def erase(
    person: Annotated[list[str], typer.Argument(metavar="WORD…", help="The customer number, and addresses known beside it.")],
    confirm: Annotated[bool, typer.Option("--confirm", help="Do it. Without it, only what would be done is shown.")] = False,
    format: Lines = TextOrJson.text,
) -> None:
    """Show which rows tell of a person; with --confirm take the person out of bronze and quarantine. The next runs do the rest."""
    from dataclasses import asdict

    from lakehouse.cli import answers
    from lakehouse.run import erase as erasing

    found = erasing.erase(declared(), *person) if confirm else erasing.look(declared(), *person)
    if format is TextOrJson.json:
        answers.print_json([asdict(each) for each in found])
        return
    for each in found:
        typer.echo(f"{each.table}: {each.rows} rows {'are' if confirm else 'would be'} {each.becomes}" if each.becomes != "follows"
                   else f"{each.table}: {each.rows} rows, which follow their source")  # fmt: skip
    if not found:
        typer.echo("No table tells of this person.")
    elif confirm:
        typer.echo("Tables above follow with their next runs. Files of before go with `maintenance`, after 168 hours.")
    else:
        typer.echo("Nothing was changed. Delete the person at the sources of change rows first, then say --confirm.")
