"""Training jobs: inputs pinned, result, parameters and metrics in MLflow; versions, and by which rule one of them is served."""

from lakehouse.models.train import train
from lakehouse.models.version import ModelVersion, load_version, newest_version, served_version, versions, why_unserved

__all__ = ["ModelVersion", "load_version", "newest_version", "served_version", "train", "versions", "why_unserved"]
