"""Model versions for tests and benchmarks that need no training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lakehouse.models.version import ModelVersion


@dataclass(frozen=True)
class AtHand(ModelVersion):
    """A version whose estimator is not loaded from MLflow, but at hand."""

    kept: Any = None

    def estimator(self) -> Any:
        """The estimator it was made with."""
        return self.kept


def at_hand(name: str, version: int, features: Sequence[str], estimator: Any) -> AtHand:
    """A version of a model that serves `estimator`, which takes `features`."""
    return AtHand(name, version, "", "", "", {}, list(features), kept=estimator)
