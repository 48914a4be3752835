"""The buttons on a model's task survive being stored by Airflow, and lead to the report of the version trained last."""

from types import SimpleNamespace

import pytest
from airflow.sdk import DAG

import lakehouse.models
import lakehouse.settings
from lakehouse.graph import Graph
from lakehouse.models import ModelVersion
from plugins.lakehouse_airflow import dag_of, every_week

REPORTED = ModelVersion("propensity", 3, "run7", "models:/m-1", "code", {}, [], experiment="12")


@pytest.fixture
def weekly(shop: Graph) -> DAG:
    return dag_of(shop, "weekly", schedule=every_week(1, "03:30"), text="Every week.", reads="nightly")


@pytest.fixture
def report(weekly: DAG):
    (button,) = [link for link in weekly.get_task("propensity").operator_extra_links if link.name == "Report"]
    return lambda: button.get_link(weekly.get_task("propensity"), ti_key=None)


def test_a_models_task_has_its_report_and_its_experiment_after_airflow_has_stored_it(weekly: DAG) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    again = DagSerialization.from_dict(DagSerialization.to_dict(weekly)).get_task("propensity")
    assert {"Report", "MLflow"} <= set(again.extra_links)


def test_the_report_button_leads_to_the_page_among_the_artefacts_of_the_newest_version(report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lakehouse.settings, "settings", lambda: SimpleNamespace(mlflow_url="http://127.0.0.1:5000/"))
    monkeypatch.setattr(lakehouse.models, "newest_version", lambda name: REPORTED if name == "propensity" else None)
    assert report() == "http://127.0.0.1:5000/#/experiments/12/runs/run7/artifacts/about/report.html"


def test_before_the_first_training_there_is_no_report_to_open(report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lakehouse.models, "newest_version", lambda name: None)
    assert report() == ""
