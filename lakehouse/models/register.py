"""A version in MLflow: run, artefact, card and report; and its place in the registry."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from lakehouse.declare.fitted import Fitted
from lakehouse.declare.tables import Table
from lakehouse.models.stage import Judgement, serve, servings
from lakehouse.models.version import ModelVersion, client, load_version

REQUIREMENTS = ["numpy", "pandas", "cloudpickle"]


def log_version(table: Table, fitted: Fitted, version: ModelVersion, judged: Judgement) -> ModelVersion:
    """Log parameters, metrics, artefact, card and figures; register the artefact. Returns the version with its addresses."""
    mlflow = client()
    mlflow.set_experiment(table.name)
    with mlflow.start_run(run_name=f"{table.name} {version.version}") as run:
        mlflow.log_params(dict(table.parameters))
        mlflow.log_metrics({k: float(v) for k, v in fitted.metrics.items()})
        pinned = {n: {"id": v.id, "version": v.version} for n, v in sorted(version.inputs.items())}
        tags = {"lakehouse.inputs": json.dumps(pinned), "lakehouse.code": version.code, "lakehouse.version": version.version}
        tags |= {"lakehouse.predecessor": version.predecessor} if table.continues else {}
        mlflow.set_tags({**tags, "owner": table.owner, "stage": judged.stage, "judgement": judged.reason[:4000]})
        tried = fitted.trial.estimator if fitted.trial else None
        kept = wrapped(fitted.estimator, tried)
        logged = mlflow.pyfunc.log_model(name="model", python_model=kept, pip_requirements=REQUIREMENTS, registered_model_name=table.name)
        with tempfile.TemporaryDirectory() as folder:
            for name, text in about(table, fitted, version, judged).items():
                Path(folder, name).write_text(text, encoding="utf-8")
            mlflow.log_artifacts(folder, "about")
    number = str(logged.registered_model_version)
    registry = mlflow.MlflowClient()
    registry.set_model_version_tag(table.name, number, "lakehouse.version", str(version.version))
    registry.set_model_version_tag(table.name, number, "stage", judged.stage)
    registry.set_registered_model_alias(table.name, "newest", number)
    return replace(version, run_id=run.info.run_id, model_uri=logged.model_uri, registered=number, experiment=run.info.experiment_id)


def promote(version: ModelVersion, event: str, reason: str) -> None:
    """Serve a version from now on, and say so in the registry: alias champion, the one before it previous."""
    before = servings(version.name)
    serve(version.name, version.version, event, reason)
    registry = client().MlflowClient()
    if before and before[-1].version != version.version:
        old = load_version(version.name, before[-1].version)
        if old.registered:
            registry.set_registered_model_alias(version.name, "previous", old.registered)
            registry.set_model_version_tag(version.name, old.registered, "stage", "archived")
    if version.registered:
        registry.set_registered_model_alias(version.name, "champion", version.registered)
        registry.set_model_version_tag(version.name, version.registered, "stage", "champion")


def about(table: Table, fitted: Fitted, version: ModelVersion, judged: Judgement) -> dict[str, str]:
    """What is kept beside the artefact, name → text: the card, the features, its pages; the report begins in words, ends with the card."""
    card = card_of(table, fitted, version, judged)
    pages = {name: _with_card(text, card, table, judged) if name == "report.html" else text for name, text in fitted.figures.items()}
    return {**pages, "card.md": card, "features.json": json.dumps(list(fitted.features))}


def card_of(table: Table, fitted: Fitted, version: ModelVersion, judged: Judgement) -> str:
    """The model card (Mitchell et al. 2019, FAT*): what it is for, learnt from and assumes, how it does, its limits; Markdown."""

    def listed(values: Mapping[str, Any]) -> str:
        return "\n".join(f"- {name}: {value:.6g}" if isinstance(value, float) else f"- {name}: {value}" for name, value in values.items())

    def said(sentences: Sequence[str]) -> str:
        return "\n".join(f"- {one}" for one in sentences) or "none declared"

    learnt = {name: f"version {v.version} of Delta table {v.id}" for name, v in sorted(version.inputs.items())}
    checks = fitted.trial.failed if fitted.trial else {}
    return "\n".join(
        [
            f"# {table.name}, version {version.version}: {judged.stage}", "", table.description, "",
            "## Decision", "", judged.reason, "",
            "## Learnt from", "", listed(learnt), "",
            "Who is in a training set: the rows of these tables at these versions.", "",
            *([f"Continues version {version.predecessor}.", ""] if version.predecessor else []),
            "## Takes", "", ", ".join(fitted.features), "",
            "## Assumes", "", said(table.assumes), "",
            "## Diagnostics", "", listed(dict(fitted.metrics)), "",
            "later_…: on time later than it was fitted on; baseline_…: a simple rule there."
            + (f" Watched nightly in {table.watched_by}." if table.watched_by else ""), "",
            "## Checks not passed", "", listed(dict(checks)) or "none", "",
            "## Limits", "", said(table.limits), "",
            "## Parameters", "", listed(dict(table.parameters)), "",
            f"Owner: {table.owner}. Trained {version.at}, code {version.code}.", "",
        ]
    )  # fmt: skip


def _with_card(page: str, card: str, table: Table, judged: Judgement) -> str:
    words = f"<p>{escape(table.description)}</p><p>Version judged {escape(judged.stage)}: {escape(judged.reason)}.</p>"
    return page.replace("</h1>", f"</h1>{words}", 1).replace(
        "</body>", f"<h2>Model card</h2><pre style='white-space:pre-wrap'>{escape(card)}</pre></body>"
    )


def wrapped(estimator: Any, tried: Any = None) -> Any:
    """The estimator as MLflow keeps it: `predict(rows)` gives the probability (or the table of a model with several outputs)."""
    import mlflow

    class Estimator(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        def __init__(self) -> None:
            self.estimator, self.tried = estimator, tried

        def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
            ask = getattr(self.estimator, "probability", None) or self.estimator.table
            return ask(model_input)

    return Estimator()
