"""Versions of a model: one small object each in the lake, pointing at the MLflow run that holds everything else."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from lakehouse import storage
from lakehouse.errors import LakehouseError
from lakehouse.models.stage import servings
from lakehouse.run.state import Version
from lakehouse.settings import settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def client() -> Any:
    """The mlflow module, pointed at our server and without its progress bars and advertising."""
    os.environ |= {
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(settings().mlflow_url)
    return mlflow


@dataclass(frozen=True)
class ModelVersion:
    """One trained version: what it was made from, where its artefact is, and its use."""

    name: str
    version: int
    run_id: str
    model_uri: str
    code: str
    inputs: dict[str, Version]
    features: list[str]
    parameters: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    at: str = ""
    stage: str = "champion"
    """champion, challenger or rejected: what its trial said of it. What is served now, `servings` say."""
    judgement: str = ""
    registered: str = ""
    """Its number in MLflow's registry."""
    experiment: str = ""
    """MLflow's number of the model's experiment."""
    predecessor: int = 0
    """The version it continues, of a model that asks for it; 0 where it began anew."""

    def estimator(self) -> Any:
        """The fitted estimator, loaded from MLflow."""
        return self._kept().estimator

    def tried(self) -> Any:
        """The estimator of its trial, fitted on earlier rows only; None where it had no trial."""
        return getattr(self._kept(), "tried", None)

    def _kept(self) -> Any:
        return client().pyfunc.load_model(self.model_uri).unwrap_python_model()

    def score(self, rows: DataFrame, output: str = "score", reasons: str = "") -> DataFrame:
        """`rows` with the probability of the positive class in a further double column `output`.

        reasons: name of a text column with what moves each row most, by exact Shapley values; empty (null) where the estimator is
            no logistic regression: its report page has sampled ones.
        """
        estimator, features = self.estimator(), list(self.features)
        added = [f"`{output}` double", *([f"`{reasons}` string"] if reasons else [])]
        schema = ", ".join([*(f"`{f.name}` {f.dataType.simpleString()}" for f in rows.schema.fields), *added])

        def scored(batches: Iterator[Any]) -> Iterator[Any]:
            from lakehouse.science.propensity.explanations import reasons as told
            from lakehouse.science.propensity.logistic import CalibratedLogistic

            for batch in batches:
                if len(batch):
                    given = batch[features].astype(float)
                    batch[output] = estimator.probability(given)
                    if reasons:
                        batch[reasons] = told(estimator, given) if isinstance(estimator, CalibratedLogistic) else None
                    yield batch

        return rows.mapInPandas(scored, schema)

    def table(self, rows: DataFrame, outputs: str) -> DataFrame:
        """`rows` with the columns the estimator's `table(frame)` gives beside its features, declared as "alive double, tier string"."""
        estimator, features = self.estimator(), list(self.features)
        names = [one.split()[0] for one in outputs.split(",")]
        schema = ", ".join([*(f"`{f.name}` {f.dataType.simpleString()}" for f in rows.schema.fields), outputs])

        def scored(batches: Iterator[Any]) -> Iterator[Any]:
            for batch in batches:
                if len(batch):
                    found = estimator.table(batch[features].astype(float))
                    for name in names:
                        batch[name] = found[name].to_numpy()
                    yield batch

        return rows.mapInPandas(scored, schema)

    @property
    def as_input(self) -> Version:
        """How a prediction table records it."""
        return Version(self.name, self.version)


def _folder(name: str) -> str:
    return f"{settings().lake}/_models/{name}"


def newest_version(name: str) -> ModelVersion | None:
    """The version trained last, served or not; None where the model was never trained."""
    listed = [o.uri for o in storage.list_objects(f"{_folder(name)}/")]
    return _read(max(listed)) if listed else None


def served_version(name: str) -> ModelVersion | None:
    """The version that prediction tables use: the last decision's; None where none passed its trial yet."""
    decided = servings(name)
    return _read(f"{_folder(name)}/{decided[-1].version:06d}.json") if decided else None


def versions(name: str) -> list[ModelVersion]:
    """All versions, oldest first."""
    listed = sorted(o.uri for o in storage.list_objects(f"{_folder(name)}/"))
    return [found for uri in listed if (found := _read(uri)) is not None]


def load_version(name: str, version: int | None = None) -> ModelVersion:
    """A version (the one served unless given). Raises LakehouseError where there is none."""
    found = served_version(name) if version is None else _read(f"{_folder(name)}/{version:06d}.json")
    if found is None:
        why = why_unserved(name) if version is None else ""
        raise LakehouseError(why or f"the model '{name}' has not been trained. Train it: lakehouse train {name}")
    return found


def why_unserved(name: str) -> str:
    """Why a model that was asked to train serves no version: none passed its trial, or it lacked data. "" where it was never asked to."""
    newest = newest_version(name)
    if newest is not None:
        return (
            f"no version of the model '{name}' has passed its trial; version {newest.version} was {newest.stage}: {newest.judgement}. "
            f"Repair what it says and train again, or decide yourself: lakehouse serve {name} {newest.version} --reason …"
        )
    body = storage.get(_lacking(name))
    return f"the model '{name}' cannot be trained yet: {body.decode()}" if body else ""


def keep_lack(name: str, reason: str) -> None:
    """Write down what a model lacks to be trained."""
    storage.put(_lacking(name), reason.encode())


def _lacking(name: str) -> str:
    return f"{settings().lake}/_lacking/{name}.txt"


def _read(uri: str) -> ModelVersion | None:
    body = storage.get(uri)
    if body is None:
        return None
    read = json.loads(body)
    return ModelVersion(**{**read, "inputs": {n: Version(**v) for n, v in read["inputs"].items()}})


def keep(version: ModelVersion) -> bool:
    """Write a version down; False where its number is taken."""
    body = json.dumps(asdict(version), indent=1, sort_keys=True).encode()
    return storage.put(f"{_folder(version.name)}/{version.version:06d}.json", body, only_if_absent=True)
