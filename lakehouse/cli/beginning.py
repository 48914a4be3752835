"""Commands for what is new: look into a file, write the files of a source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.cli.program import Lines, TextOrJson, app, declared

new = typer.Typer(help="Begin something new.", no_args_is_help=True)
app.add_typer(new, name="new")


@app.command()
def profile(
    what: Annotated[str, typer.Argument(metavar="FILE|TABLE", help="A file, or a table's name.")],
    html: Annotated[Path | None, typer.Option(help="Write a page with small charts there, too.")] = None,
    format: Lines = TextOrJson.text,
) -> None:
    """Say what a file or a table holds: types, gaps, distinct values, ranges, patterns, likely keys, likely personal data."""
    from lakehouse.cli import answers, profiling

    found = profiling.of_file(Path(what)) if Path(what).is_file() else profiling.of_table(declared(), what)
    if html:
        from lakehouse.profile.page import page

        html.write_text(page(found), encoding="utf-8")
    if format is TextOrJson.json:
        answers.print_json(found.as_dict())
    else:
        profiling.in_words(found)


@new.command("source")
def new_source(
    file: Annotated[Path, typer.Argument(help="A file as the source delivers it.")],
    source: Annotated[str, typer.Option(help="The source's name; the file's folder unless given.")] = "",
    things: Annotated[str, typer.Option(help="What its rows are; the file's name unless given.")] = "",
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "marketing",
) -> None:
    """Write the bronze and silver files for it, with contract, ready to edit; they run as they are."""
    from lakehouse.cli import profiling

    jobs = Path(os.environ.get("LAKEHOUSE_JOBS") or "jobs")
    written = profiling.new_source(file, jobs, source, things, owner)
    for path in written:
        typer.echo(path)
    prefix = written[0].stem.replace("__", "/")
    typer.echo(f"Drop files into landing below {prefix}/, then: lakehouse run {written[1].stem} --with-upstream", err=True)
