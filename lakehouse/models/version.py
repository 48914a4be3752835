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

    def estimator(self) -> Any:
        """The fitted estimator, loaded from MLflow."""
        return client().pyfunc.load_model(self.model_uri).unwrap_python_model().estimator

    def score(self, rows: DataFrame, output: str = "score") -> DataFrame:
        """`rows` with the probability of the positive class in a further double column `output`."""
        estimator, features = self.estimator(), list(self.features)
        schema = ", ".join([*(f"`{f.name}` {f.dataType.simpleString()}" for f in rows.schema.fields), f"`{output}` double"])

        def scored(batches: Iterator[Any]) -> Iterator[Any]:
            for batch in batches:
                if len(batch):
                    batch[output] = estimator.probability(batch[features].astype(float))
                else:
                    batch[output] = []
                yield batch

        return rows.mapInPandas(scored, schema)

    @property
    def as_input(self) -> Version:
        """How a prediction table records it."""
        return Version(self.name, self.version)


def _folder(name: str) -> str:
    return f"{settings().lake}/_models/{name}"


def newest_version(name: str) -> ModelVersion | None:
    """The newest version, None where the model was never trained."""
    listed = [o.uri for o in storage.list_objects(f"{_folder(name)}/")]
    return _read(max(listed)) if listed else None


def load_version(name: str, version: int | None = None) -> ModelVersion:
    """A version (the newest unless given). Raises LakehouseError where there is none."""
    found = newest_version(name) if version is None else _read(f"{_folder(name)}/{version:06d}.json")
    if found is None:
        raise LakehouseError(f"the model '{name}' has not been trained. Train it: lakehouse train {name}")
    return found


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
