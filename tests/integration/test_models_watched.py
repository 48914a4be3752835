"""A model in use: found beyond its limits it is rolled back; whoever is erased has left it after the next training, provably."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse import storage
from lakehouse.graph import Graph, load
from lakehouse.models import load_version, newest_version, train
from lakehouse.models.stage import servings
from lakehouse.models.train import retrain
from lakehouse.models.watch import trained_on
from lakehouse.run import run_table
from lakehouse.settings import Settings, settings
from tests.graph.package import write

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
MODEL = f"habit_{uuid.uuid4().hex[:8]}"
JOBS = {
    "bronze/src__people.py": """
@table(source=Csv("src/people"), owner="tests",
       columns=[Column("id", "string", "Who.", sensitivity="pseudonym"), Column("x", "double", "How much."),
                Column("gone", "boolean", "Left.")])
def src__people(landed: Landed):
    "People as dropped in."
    return landed
""",
    "bronze/src__verdicts.py": """
@table(source=Csv("src/verdicts"), owner="tests",
       columns=[Column("day", "date", "Of the judgement."), Column("version", "int", "Judged."), Column("verdict", "string", "How.")])
def src__verdicts(landed: Landed):
    "Judgements as dropped in."
    return landed
""",
    "silver/people.py": """
@table(key="id", latest_by="_order", deleted_when="gone", owner="tests",
       columns=[Column("id", "string", "Who.", sensitivity="pseudonym"), Column("x", "double", "How much.")])
def people(src__people: Changes):
    "Who is there now."
    return src__people.selectExpr("id", "x", "gone", "CAST(gone AS bigint) AS _order")
""",
    f"models/{MODEL}.py": f"""
from lakehouse.declare import *


@model(owner="tests", watched_by="pred_verdicts")
def {MODEL}(people: Snapshot, predecessor: Predecessor) -> Fitted:
    "The mean, tried beside a rule that is always two off; knows the mean of the version served before."
    rows = people.toPandas().sort_values("id")
    mean = float(rows["x"].mean())
    trial = Trial(mean, lambda tried: list((rows["x"] - tried).abs()), [2.0] * len(rows), list(rows["id"]))
    metrics = {{"mean": mean, "people": float(len(rows)), "before": -1.0 if predecessor is None else predecessor}}
    return Fitted(mean, ("x",), metrics, trial=trial)
""",
    "predictions/pred_verdicts.py": f"""
@table(key=("model", "model_version", "as_of_date", "figure"), owner="tests",
       columns=[Column("model", "string", "Whose."), Column("model_version", "int", "Judged."), Column("as_of_date", "date", "When."),
                Column("figure", "string", "What."), Column("value", "double", "Found."), Column("verdict", "string", "How.")])
def pred_verdicts(src__verdicts: Snapshot):
    "The model in use, judged; another model, whose versions have the same numbers, is always beyond."
    judged = ["version AS model_version", "day AS as_of_date", "'drift of x' AS figure", "0.9D AS value"]
    return src__verdicts.selectExpr("'{MODEL}' AS model", *judged, "verdict").unionByName(
        src__verdicts.selectExpr("'another' AS model", *judged, "'beyond' AS verdict"))
""",
}


@pytest.fixture(scope="module")
def graph(stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """The tables and the model in a lake and landing of their own; two versions of the model, the first of them served."""
    name = f"_watched/{uuid.uuid4().hex[:8]}"
    wanted = {"LAKEHOUSE_LAKE": f"s3a://lake/{name}", "LAKEHOUSE_LANDING": f"s3://landing/{name}"}
    before = {key: os.environ.get(key) for key in wanted}
    os.environ.update(wanted)
    settings.cache_clear()
    made = load(write(Path(tmp_path_factory.mktemp("jobs")) / "jobs", JOBS))
    bring(made, "people", "id,x,gone", *(f"p{n:02},{n % 2},false" for n in range(40)))
    train(made, MODEL)
    train(made, MODEL, full=True)
    yield made
    storage.delete_prefix(settings().lake)
    for key, value in before.items():
        os.environ.pop(key) if value is None else os.environ.update({key: value})
    settings.cache_clear()


def bring(graph: Graph, what: str, *lines: str) -> None:
    storage.put(f"{settings().landing}/src/{what}/{uuid.uuid4().hex}.csv", "\n".join([*lines, ""]).encode())
    for name in (f"src__{what}", *(n for n in ("people", "pred_verdicts") if graph[n].inputs[0].name == f"src__{what}")):
        run_table(graph, name, record=False)


def test_a_version_no_better_than_the_one_served_is_a_challenger(graph: Graph):
    assert newest_version(MODEL).stage == "challenger"  # type: ignore[union-attr]
    assert load_version(MODEL).version == 1


def test_found_beyond_its_limits_it_is_rolled_back_to_the_version_that_passed(graph: Graph):
    bring(graph, "verdicts", "day,version,verdict", "2026-11-01,1,beyond", "2026-11-02,1,within")
    assert train(graph, MODEL, only_if_missing=True).reason == "it exists; it is trained weekly"  # the newest day counts
    bring(graph, "verdicts", "day,version,verdict", "2026-11-03,1,beyond")
    said = train(graph, MODEL, only_if_missing=True).reason
    assert said == "rolled back to version 2: version 1 is beyond its limits on 2026-11-03: drift of x 0.9"
    assert load_version(MODEL).version == 2 and servings(MODEL)[-1].event == "rolled back"


def test_the_weekly_training_trains_only_what_its_inputs_changed(graph: Graph):
    known = newest_version(MODEL)
    bring(graph, "verdicts", "day,version,verdict", "2026-10-01,2,within")  # what it does not read has moved
    report = train(graph, MODEL)
    assert (report.state, report.reason) == ("up to date", "nothing it reads has moved")
    assert newest_version(MODEL) == known


def test_whoever_is_erased_has_left_the_version_served_after_the_next_training(graph: Graph):
    known = load_version(MODEL)
    bring(graph, "people", "id,x,gone", "p07,1,true")
    said = train(graph, MODEL).reason
    served = load_version(MODEL)
    assert "version 2 learnt from 1 people erased since; not worse" in said and served.version == 3
    assert trained_on(graph, known)["people"] - trained_on(graph, served)["people"] == {"p07"}
    assert (known.metrics["people"], served.metrics["people"]) == (40, 39)


def test_no_roll_back_leads_to_a_version_that_knows_the_erased(graph: Graph):
    bring(graph, "verdicts", "day,version,verdict", "2026-11-04,3,beyond")
    assert "no other version passed its trial, so it is served on" in train(graph, MODEL, only_if_missing=True).reason
    assert load_version(MODEL).version == 3


def test_an_old_training_can_be_repeated_from_what_it_read_and_continued_then(graph: Graph):
    first, second, third = (load_version(MODEL, number) for number in (1, 2, 3))
    assert [v.predecessor for v in (first, second, third)] == [0, 1, 2]
    assert retrain(graph, first.run_id) == {"mean": (0.5, 0.5), "people": (40.0, 40.0), "before": (-1.0, -1.0)}
    again = retrain(graph, second.run_id)  # the version served by now has another mean than the one that was continued
    assert again["before"] == (0.5, 0.5) != (third.metrics["mean"], third.metrics["mean"])
    assert all(then == now for then, now in again.values())
