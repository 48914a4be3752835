"""What came of the demo's runs, for a person: runs, layers, figures from the warehouse, where to look next."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from rich.columns import Columns
from rich.console import Console
from rich.table import Table as Grid

from infra.demo.figures import FIGURES, Figure
from infra.demo.rest import Run
from lakehouse.graph import LAYERS, Graph, load
from lakehouse.run.resolve import state_at
from lakehouse.settings import settings


def show(console: Console, runs: Sequence[Run]) -> None:
    """Print the summary."""
    graph = load(settings().jobs)
    console.print()
    console.print(Columns([_runs(runs), _layers(graph)], padding=(0, 4)))
    console.print()
    with psycopg.connect(settings().reader_url.get_secret_value()) as reader:
        for figure in FIGURES:
            console.print(_figure(reader, figure))
            console.print()
    console.print("[bold]Where to look[/]")
    for name, address, sign_in in _addresses():
        console.print(f"  {name:<14} {address}   [dim]{sign_in}[/]", soft_wrap=True)
    console.print("\nNext: make status · make screenshot · make down")


def _runs(runs: Sequence[Run]) -> Grid:
    grid = Grid("DAG", "for", "tasks", "took", "slowest", title="What ran", title_justify="left", title_style="bold")
    for run in runs:
        slow = sorted((t for t in run.tasks if t.seconds), key=lambda t: -(t.seconds or 0))[:2]
        named = ", ".join(f"{t.name} {t.seconds:.0f} s" for t in slow)
        grid.add_row(run.dag, run.key or "", str(len(run.tasks)), f"{run.seconds or 0:.0f} s", named)
    return grid


def _layers(graph: Graph) -> Grid:
    title = "The lakehouse, layer by layer"
    grid = Grid("layer", "tables", "rows", "quality score", "lowest", title=title, title_justify="left", title_style="bold")
    for layer in LAYERS:
        states = {t.name: state_at(t) for t in graph.tables.values() if t.layer == layer and t.kind == "table" and t.live is None}
        built = {n: s for n, s in states.items() if s is not None}
        if not built:
            continue
        rows, flagged = sum(s.rows for s in built.values()), sum(s.flagged for s in built.values())
        scores = {n: s.score for n, s in built.items() if s.score is not None}
        worst = min(scores, key=lambda n: scores[n]) if scores else ""
        lowest = f"{worst} {_share(scores[worst])}" if worst and scores[worst] < 1 else ""
        grid.add_row(layer, f"{len(built)} of {len(states)}", f"{rows:,}", _share((rows - flagged) / rows) if rows else "", lowest)
    return grid


def _figure(reader: psycopg.Connection, figure: Figure) -> Grid:
    grid = Grid(title=figure.title, title_justify="left", title_style="bold", caption=figure.caption, caption_justify="left")
    with reader.cursor() as cursor:
        cursor.execute(figure.sql)
        for column in cursor.description or ():
            grid.add_column(column.name.replace("_", " "), justify="left" if column.type_display == "text" else "right")
        rows = cursor.fetchall()
        for row in rows:
            grid.add_row(*("" if value is None else f"{value:,}" if isinstance(value, int) else str(value) for value in row))
    if not rows:
        grid.caption = figure.empty
    return grid


def _share(value: float) -> str:
    return f"{value:.2%}"


def _addresses() -> list[tuple[str, str, str]]:
    from infra.stack import config, credentials

    here, ports = settings(), config.read().ports
    given = credentials.read(here.home)
    psql = f"psql 'host=127.0.0.1 port={ports.postgres} dbname=warehouse user=analyst'"
    return [
        ("Airflow", f"{here.airflow_url}/dags/nightly", f"{here.airflow_user} / {here.airflow_password.get_secret_value()}"),
        ("MinIO console", f"http://127.0.0.1:{ports.console}", f"{given.s3_access_key} / {given.s3_secret_key}"),
        ("MLflow", here.mlflow_url, "no sign-in"),
        ("Postgres", psql, f"password {given.analyst}"),
    ]
