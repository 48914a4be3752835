"""Commands of tables and their options; what a command does is imported when it is called, so that `--help` and `graph` answer at once."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from lakehouse.cli.program import Drawing, Format, Lines, Name, Shape, TextOrJson, app, declared, wrong_use


@app.command()
def graph(
    table: Annotated[str, typer.Argument(help="Only this table: what it rests on and what rests on it.")] = "",
    format: Annotated[Drawing, typer.Option("--format", help="How the graph is printed.")] = Drawing.tree,
) -> None:
    """Show the tables and what each reads. Nothing needs to run for it."""
    from lakehouse.cli import drawing

    whole = declared()
    if table:
        whole = drawing.around(whole, table)
    typer.echo({"tree": drawing.tree, "json": drawing.as_json, "mermaid": drawing.mermaid}[format](whole))


@app.command()
def plan(
    tables: Annotated[list[str] | None, typer.Argument(help="Only these tables, and what they rest on.")] = None,
    format: Lines = TextOrJson.text,
) -> None:
    """Say what the next runs would do and why: built, rebuilt, changed, or left as it is."""
    from lakehouse.cli import answers
    from lakehouse.cli.foresee import foresee, undeclared

    whole = declared()
    names = {n for t in tables or () for n in whole.with_upstream(t)} if tables else None
    steps = foresee(whole, names)
    gone = [] if tables else undeclared(whole)
    if format is TextOrJson.json:
        answers.print_json({"tables": [s.as_dict() for s in steps], "undeclared": gone})
        return
    for step in steps:
        typer.echo(step)
    for name in gone:
        typer.echo(f"- {name}: no file declares it any more; its data stays until somebody deletes it")
    idle = sum(not s.moves for s in steps)
    typer.echo(f"{len(steps) - idle} of {len(steps)} tables would be run." if steps else "There are no tables.")


@app.command()
def run(
    table: Name,
    full: Annotated[bool, typer.Option("--full", help="Build it anew, whatever moved.")] = False,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day, for tables as of a day.")] = None,
    with_upstream: Annotated[bool, typer.Option(help="First bring everything it rests on up to date.")] = False,
    format: Lines = TextOrJson.text,
) -> None:
    """Bring a table up to date."""
    from lakehouse.cli.runs import run_all

    whole = declared()
    day = as_of.date() if as_of else None
    if day and not whole[table].as_of and not with_upstream:
        wrong_use(f"{table} takes no as_of: it is one table, not one a day. Leave --as-of out.")
    run_all(whole, table, full=full, day=day, with_upstream=with_upstream, as_json=format is TextOrJson.json)


@app.command()
def land(source: Annotated[str, typer.Argument(help="A source that is fetched, such as shop.")], format: Lines = TextOrJson.text) -> None:
    """Fetch what a source has into landing."""
    from lakehouse.cli import answers
    from lakehouse.run import land as fetch

    landed = fetch(declared(), source)
    if format is TextOrJson.json:
        answers.print_json(landed)
    else:
        typer.echo(f"{source}: {landed}")


@app.command()
def show(
    table: Name,
    rows: Annotated[int, typer.Option(min=0, help="How many sample rows.")] = 5,
    format: Lines = TextOrJson.text,
) -> None:
    """Show a table: columns, key, rules, version, inputs consumed, last runs, score, sample rows."""
    from lakehouse.cli import answers
    from lakehouse.cli.facts import facts_of, in_words

    facts = facts_of(declared(), table, rows)
    if format is TextOrJson.json:
        answers.print_json(facts)
    else:
        in_words(facts)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One SELECT; - reads it from standard input.")],
    lake: Annotated[bool, typer.Option("--lake", help="Ask the Delta tables (Spark SQL) instead of the warehouse.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many rows; as a table 100 unless given.")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="At most so long (warehouse).")] = 60.0,
    format: Format = Shape.table,
) -> None:
    """Ask the warehouse (Postgres, schema marts), or with --lake the Delta tables."""
    from lakehouse.cli import answers

    text = sys.stdin.read() if sql == "-" else sql
    most = limit or (100 if format is Shape.table else None)
    if lake:
        from lakehouse.cli.lake import ask

        columns, found, more = ask(declared(), text, most)
    else:
        from lakehouse.warehouse import query as ask_warehouse

        answer = ask_warehouse(text, most, seconds=seconds)
        columns, found, more = answer.columns, answer.rows, answer.more
    answers.print_rows(columns, found, format.value)
    if more:
        typer.echo(f"There are more than these {most} rows; --limit shows more.", err=True)


@app.command()
def publish(
    newest: Annotated[bool, typer.Option("--newest", help="The newest versions, instead of those of the last nightly cut.")] = False,
    allow_older: Annotated[bool, typer.Option("--allow-older", help="Go back to older versions than those shown.")] = False,
    format: Lines = TextOrJson.text,
) -> None:
    """Show versions that belong together in the warehouse, all at once."""
    from lakehouse.cli.publication import show_versions

    run_id = f"by hand {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    show_versions(declared(), run_id, newest=newest, allow_older=allow_older, as_json=format is TextOrJson.json)
