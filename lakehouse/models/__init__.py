"""Training jobs: inputs pinned, result, parameters and metrics in MLflow, and a version that prediction tables read."""

from lakehouse.models.train import train
from lakehouse.models.version import ModelVersion, load_version, newest_version

__all__ = ["ModelVersion", "load_version", "newest_version", "train"]
