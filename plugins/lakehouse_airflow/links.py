"""Buttons on a task's page: its objects in the store's console, its model in MLflow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey


class ObjectsLink(BaseOperatorLink):
    """The table's folder in the object store's console, where there is one."""

    name = "Objects"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """The address of the folder."""
        from lakehouse.delta.location import table_uri
        from lakehouse.storage import split

        console = os.environ.get("LAKEHOUSE_S3_CONSOLE", "")
        bucket, key = split(table_uri(operator.graph[operator.table]))
        return f"{console.rstrip('/')}/browser/{bucket}/{quote(key + '/', safe='')}"


class ModelLink(BaseOperatorLink):
    """The model's page in MLflow."""

    name = "MLflow"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """The address of its experiment, where every version is a run."""
        from lakehouse.settings import settings

        return f"{settings().mlflow_url.rstrip('/')}/#/experiments?searchFilter={operator.table}"


class ReportLink(BaseOperatorLink):
    """The report page of the version trained last: figures, charts, card."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """The address of the page among the run's artefacts in MLflow; empty before the first training."""
        from lakehouse.models import newest_version
        from lakehouse.settings import settings

        version = newest_version(operator.table)
        if version is None:
            return ""
        return f"{settings().mlflow_url.rstrip('/')}/#/experiments/{version.experiment}/runs/{version.run_id}/artifacts/about/report.html"
