"""One training: resolve as a table does, fit, judge, log to MLflow, then make the version known and serve it if it may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from lakehouse.declare.fitted import Fitted, NotEnoughData
from lakehouse.declare.tables import Table
from lakehouse.delta.location import table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.delta.session import open_session
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from lakehouse.models.register import log_version, promote
from lakehouse.models.version import ModelVersion, client, keep, keep_lack, load_version, newest_version, served_version
from lakehouse.models.watch import judgement, watch
from lakehouse.run import frames
from lakehouse.run.code import code_hash
from lakehouse.run.cut import Cut, pinned_by_cuts
from lakehouse.run.report import Report
from lakehouse.run.resolve import NotBuilt
from lakehouse.run.state import Version


def train(
    graph: Graph,
    name: str,
    *,
    full: bool = False,
    cut: Cut | None = None,
    only_if_missing: bool = False,
    attempt: str | None = None,
    inputs: Mapping[str, Version] | None = None,
) -> Report:
    """Train a model where its inputs or code changed; `inputs` pins versions, to reproduce an earlier training.

    The new version is served only if its trial says so. With `only_if_missing` a model that exists is watched instead: it is
    rolled back where its evaluation table found it beyond its limits. Where its job says NotEnoughData, the report says `waiting`.
    """
    table, started, clock = graph[name], datetime.now(UTC), monotonic()
    run_id = f"{name}-{started:%Y%m%dT%H%M%S}"
    known, code = newest_version(name), code_hash(table)
    pinned = dict(inputs) if inputs else _inputs(graph, table, cut)

    def report(state: Any, reason: str, version: ModelVersion | None) -> Report:
        return Report(
            name, state, run_id, reason=reason, version=version.version if version else None,
            inputs={n: v.version for n, v in pinned.items()}, seconds=round(monotonic() - clock, 3),
            started_at=started.isoformat(timespec="seconds"),
        )  # fmt: skip

    if known and only_if_missing:
        said = watch(graph, table)
        return report("up to date", said or "it exists; it is trained weekly", served_version(name) or known)
    if known and not full and not inputs and known.code == code and known.inputs == pinned:
        return report("up to date", "nothing it reads has moved", known)
    try:
        before, estimator = _predecessor(table)
        fitted = fit(graph, table, pinned, attempt, estimator)
        judged = judgement(graph, table, fitted, pinned)
    except NotEnoughData as lack:
        keep_lack(name, str(lack))
        return report("waiting", str(lack), served_version(name) or known)
    number = (known.version if known else 0) + 1
    made = ModelVersion(
        name, number, "", "", code, pinned, list(fitted.features), dict(table.parameters), dict(fitted.metrics),
        started.isoformat(timespec="seconds"), judged.stage, judged.reason, predecessor=before,
    )  # fmt: skip
    version = log_version(table, fitted, made, judged)
    if not keep(version):
        raise LakehouseError(f"{name}: version {number} was made by another training meanwhile; run it again.")
    if judged.stage == "champion":
        promote(version, "promoted", judged.reason)
    reason = (
        "first training"
        if known is None
        else "asked for"
        if full or inputs
        else "its code changed"
        if known.code != code
        else "its inputs moved"
    )
    return report("published", f"{reason}; {judged.stage}: {judged.reason}", version)


def _inputs(graph: Graph, table: Table, cut: Cut | None) -> dict[str, Version]:
    pinned = pinned_by_cuts(graph, table, cut)
    for name in graph.upstream(table.name):
        log = DeltaLog(table_uri(graph[name]))
        if name not in pinned:
            if log.version is None or log.id is None:
                raise NotBuilt(f"{table.name}: its input '{name}' has no data yet. Run it first: lakehouse run {name}")
            pinned[name] = Version(log.id, log.version)
    return pinned


def _predecessor(table: Table) -> tuple[int, Any]:
    """The version served now and its estimator, for a model that continues it; 0 and None where there is none that can still be loaded."""
    served = served_version(table.name) if table.continues else None
    if served is None:
        return 0, None
    try:
        return served.version, served.estimator()
    except (LakehouseError, AttributeError, ImportError):  # its classes were moved since
        return 0, None


def fit(graph: Graph, table: Table, pinned: Mapping[str, Version], attempt: str | None = None, predecessor: Any = None) -> Fitted:
    """Call the training function on its inputs at the versions given, and on the estimator it continues."""
    with open_session(attempt) as spark:
        given: dict[str, Any] = {i.name: frames.snapshot(spark, graph[i.name], pinned[i.name].version) for i in table.inputs}
        if "parameters" in table.function.__code__.co_varnames[: table.function.__code__.co_argcount]:
            given["parameters"] = dict(table.parameters)
        if table.continues:
            given["predecessor"] = predecessor
        fitted = table.function(**given)
    if not isinstance(fitted, Fitted):
        raise LakehouseError(
            f"{table.name}: the training function returned {type(fitted).__name__}. Return Fitted(estimator, features, metrics)."
            f"\n  {table.where}"
        )
    return fitted


def retrain(graph: Graph, mlflow_run: str) -> dict[str, tuple[float, float]]:
    """Train again from what an MLflow run says it read and continued; returns each metric then and now."""
    mlflow = client()
    then = mlflow.get_run(mlflow_run)
    experiment = mlflow.get_experiment(then.info.experiment_id)
    pinned = {n: Version(**v) for n, v in json.loads(then.data.tags["lakehouse.inputs"]).items()}
    table, before = graph[experiment.name], int(then.data.tags.get("lakehouse.predecessor", "0"))
    fitted = fit(graph, table, pinned, predecessor=load_version(table.name, before).estimator() if before else None)
    return {n: (value, float(fitted.metrics[n])) for n, value in then.data.metrics.items()}
