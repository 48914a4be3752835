"""What a person sees who presses *Report* on a model's task."""

import os
import re
import tempfile
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import lakehouse.models.version


def opened(model: str) -> str:
    """The text of the page at the button's address, as MLflow serves it: the run of the model's experiment, then the file of it."""
    os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="lakehouse-airflow-"))
    from plugins.lakehouse_airflow.links import ReportLink

    operator: Any = SimpleNamespace(table=model)
    server, _, place = ReportLink().get_link(operator, ti_key=None).partition("/#/experiments/")  # type: ignore[arg-type]
    found = re.fullmatch(r"(\w+)/runs/(\w+)/artifacts/(about/report\.html)", place)
    assert found, place
    experiment, run, path = found.groups()
    about = lakehouse.models.version.client().get_run(run)
    assert (about.info.experiment_id, about.info.run_name.split()[0]) == (experiment, model)
    with urlopen(f"{server}/get-artifact?{urlencode({'path': path, 'run_uuid': run})}", timeout=30) as answer:
        return str(answer.read().decode())
