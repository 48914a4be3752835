"""A model that lacks data, or whose trial rejects it, stops nobody: its predictions stay empty until a version may be used."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse import storage
from lakehouse.delta.session import open_session
from lakehouse.graph import Graph, load
from lakehouse.models import load_version
from lakehouse.models.register import promote
from lakehouse.run import Report, run_table
from lakehouse.run.frames import snapshot
from lakehouse.settings import Settings, settings
from tests.airflow.reports import opened
from tests.graph.package import write

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
MODEL = f"visits_{uuid.uuid4().hex[:8]}"
JOBS = {
    "bronze/src__visits.py": """
@table(source=Csv("src/visits"), owner="tests", columns=[Column("id", "string", "Who."), Column("visits", "double", "How often.")])
def src__visits(landed: Landed):
    "Visits as dropped in."
    return landed
""",
    f"models/{MODEL}.py": f"""
from lakehouse.declare import *


@model(owner="tests", assumes="Visits are counted once.", limits=["Nobody visits twice a day."])
def {MODEL}(src__visits: Snapshot) -> Fitted:
    "Twice the visits, tried beside a rule that is never wrong."
    rows = src__visits.toPandas()
    if len(rows) < 3:
        raise NotEnoughData(f"{{len(rows)}} visitors, 3 are needed")
    trial = Trial("twice", lambda _: [1.0] * len(rows), [0.0] * len(rows), list(rows["id"]))
    from lakehouse.science.charts import bars, page

    shown = page("Visits", [("How often", bars({{"visits": 2.0}}, "of them"))])
    return Fitted("twice", ("visits",), {{"factor": 2.0}}, {{"report.html": shown}}, trial)
""",
    "predictions/pred_visits.py": f"""
@table(key="id", owner="tests", columns=[Column("id", "string", "Who."), Column("score", "double", "Foreseen.")])
def pred_visits(src__visits: Snapshot, {MODEL}: Model):
    "What comes next."
    return src__visits.selectExpr("id", f"visits * {{{MODEL}.metrics['factor']}} AS score")
""",
}


@pytest.fixture(scope="module")
def graph(stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """The three of them in a lake and landing of their own."""
    name = f"_waiting/{uuid.uuid4().hex[:8]}"
    wanted = {"LAKEHOUSE_LAKE": f"s3a://lake/{name}", "LAKEHOUSE_LANDING": f"s3://landing/{name}"}
    before = {key: os.environ.get(key) for key in wanted}
    os.environ.update(wanted)
    settings.cache_clear()
    yield load(write(Path(tmp_path_factory.mktemp("jobs")) / "jobs", JOBS))
    storage.delete_prefix(settings().lake)
    for key, value in before.items():
        os.environ.pop(key) if value is None else os.environ.update({key: value})
    settings.cache_clear()


def run(graph: Graph, name: str) -> Report:
    return run_table(graph, name, record=False)


def land(name: str, *rows: str) -> None:
    storage.put(f"{settings().landing}/src/visits/{name}.csv", "\n".join(["id,visits", *rows, ""]).encode())


def scores(graph: Graph, report: Report) -> dict[str, float]:
    assert report.version is not None
    with open_session() as spark:
        return {r["id"]: r["score"] for r in snapshot(spark, graph["pred_visits"], report.version).collect()}


def test_too_little_data_leaves_the_model_waiting_and_its_predictions_empty(graph: Graph):
    land("one", "a,1", "b,2")
    run(graph, "src__visits")
    trained = run(graph, MODEL)
    assert (trained.state, trained.reason) == ("waiting", "2 visitors, 3 are needed")
    foreseen = run(graph, "pred_visits")
    assert (foreseen.state, foreseen.rows) == ("published", 0)
    assert foreseen.warnings == [f"no predictions: the model '{MODEL}' cannot be trained yet: 2 visitors, 3 are needed"]


def test_a_rejected_version_leaves_them_empty_and_says_why_and_how_to_decide(graph: Graph):
    land("two", *(f"v{n},{n}" for n in range(40)))
    run(graph, "src__visits")
    trained = run(graph, MODEL)
    assert "rejected: a simple rule does as well" in trained.reason
    foreseen = run(graph, "pred_visits")
    assert (foreseen.state, foreseen.rows) == ("published", 0)
    assert f"decide yourself: lakehouse serve {MODEL} 1" in foreseen.warnings[0]


def test_the_report_button_of_its_task_opens_the_page_of_that_version_with_words_chart_and_card(graph: Graph):
    kept, page = load_version(MODEL, 1), opened(MODEL)
    assert page.startswith("<!doctype html>") and page.count("<svg") == 1 and "rejected: a simple rule does as well" in page
    assert f"src__visits: version {kept.inputs['src__visits'].version} of Delta table {kept.inputs['src__visits'].id}" in page
    assert "Visits are counted once." in page and "factor: 2" in page and "Nobody visits twice a day." in page


def test_the_first_version_in_use_fills_them(graph: Graph):
    promote(load_version(MODEL, 1), "chosen", "by hand")
    foreseen = run(graph, "pred_visits")
    assert foreseen.reason == f"{MODEL} moved"
    assert scores(graph, foreseen) == {"a": 2.0, "b": 4.0} | {f"v{n}": 2.0 * n for n in range(40)}
    assert not foreseen.warnings
