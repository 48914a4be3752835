"""Commands of models: train, train again, serve by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from lakehouse.cli.program import Lines, TextOrJson, app, declared, wrong_use


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
        wrong_use(f"'{model}' is a table, not a model. Models: {models}. Tables are brought up to date by `lakehouse run {model}`.")
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
