"""Commands and their options; what they do is imported when they are called, so that `--help` and `graph` answer at once."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
held = typer.Typer(help="Rows held back by a rule, with the reason.", no_args_is_help=True)
app.add_typer(held, name="quarantine")
new = typer.Typer(help="Begin something new.", no_args_is_help=True)
app.add_typer(new, name="new")

Name = Annotated[str, typer.Argument(metavar="TABLE", help="A table's name.")]
Format = Annotated[Shape, typer.Option("--format", help="How the answer is printed.")]
Lines = Annotated[TextOrJson, typer.Option("--format", help="Text, or JSON for programs.")]


def declared() -> Graph:
    """The graph of the package named by LAKEHOUSE_JOBS (`jobs` unless set)."""
    from lakehouse.graph import load

    return load(os.environ.get("LAKEHOUSE_JOBS") or "jobs")


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
        _wrong_use(f"{table} takes no as_of: it is one table, not one a day. Leave --as-of out.")
    run_all(whole, table, full=full, day=day, with_upstream=with_upstream, as_json=format is TextOrJson.json)


@app.command()
def train(
    model: Annotated[str, typer.Argument(help="A model's name.")],
    full: Annotated[bool, typer.Option("--full", help="Train anew, whatever moved.")] = False,
    format: Lines = TextOrJson.text,
) -> None:
    """Train a model where its inputs or its code changed."""
    from lakehouse.cli.runs import run_all

    whole = declared()
    if whole[model].kind != "model":
        models = ", ".join(n for n, t in whole.tables.items() if t.kind == "model") or "none yet"
        _wrong_use(f"'{model}' is a table, not a model. Models: {models}. Tables are brought up to date by `lakehouse run {model}`.")
    run_all(whole, model, full=full, day=None, with_upstream=False, as_json=format is TextOrJson.json)


@app.command()
def retrain(
    mlflow_run: Annotated[str, typer.Argument(help="The id of a training run in MLflow.")], format: Lines = TextOrJson.text
) -> None:
    """Train again from what an MLflow run read, and compare the metrics: nothing is kept. Fails where one differs."""
    from lakehouse.cli import answers
    from lakehouse.models.train import retrain as again

    figures = again(declared(), mlflow_run)
    if format is TextOrJson.json:
        answers.print_json({name: {"then": then, "now": now} for name, (then, now) in figures.items()})
    else:
        for name, (then, now) in sorted(figures.items()):
            typer.echo(f"{'=' if then == now else '≠'} {name}: {then!r}" + ("" if then == now else f", now {now!r}"))
    if any(then != now for then, now in figures.values()):
        raise typer.Exit(1)


@app.command()
def serve(
    model: Annotated[str, typer.Argument(help="A model's name.")],
    version: Annotated[int, typer.Argument(help="The version to serve from now on.")],
    reason: Annotated[str, typer.Option("--reason", help="Why: it is written down.")],
) -> None:
    """Choose by hand the version of a model that predictions use, whatever its trial said."""
    from lakehouse.models import load_version
    from lakehouse.models.register import promote

    declared()[model]
    promote(load_version(model, version), "chosen", reason)
    typer.echo(f"{model}: version {version} is served from the next run of its predictions on")


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


def _wrong_use(text: str) -> None:
    typer.echo(text, err=True)
    raise typer.Exit(WRONG_USE)
