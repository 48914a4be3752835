"""What is kept beside every model of the company: a card and a page that say what it learnt from, assumes, shows and does not tell."""

import pytest

from lakehouse.declare import Fitted, Trial
from lakehouse.graph import Graph, load
from lakehouse.models import ModelVersion
from lakehouse.models.register import about
from lakehouse.models.stage import Judgement
from lakehouse.run.state import Version
from lakehouse.science.charts import bars, page
from lakehouse.settings import REPOSITORY

GRAPH: Graph = load(REPOSITORY / "jobs")
MODELS = sorted(name for name, table in GRAPH.tables.items() if table.kind == "model")


@pytest.mark.parametrize("name", MODELS)
def test_card_and_page_say_what_it_learnt_from_assumes_shows_and_does_not_tell(name: str):
    table, chart = GRAPH[name], bars({"a": 1.0}, "size")
    inputs = {read: Version(f"id-of-{read}", 7 + at) for at, read in enumerate(sorted(GRAPH.upstream(name)))}
    version = ModelVersion(name, 3, "", "", "c0de", inputs, ["x"], dict(table.parameters), {}, "2026-11-18T03:30:00+00:00")
    trial = Trial(None, lambda _: [], [], [], {"fairness": "gap .21 <.15 allowed>"})
    fitted = Fitted(
        None, ("x",), {"later_figure": 0.25}, {"report.html": page("Title", [("Sizes", chart)]), "other.html": "as it is"}, trial
    )
    kept = about(table, fitted, version, Judgement("rejected", "fairness: gap .21"))
    card, report = kept["card.md"], kept["report.html"]
    assert len(table.assumes) >= 1 and len(table.limits) >= 1, f"{name}: assumes= and limits= of @model are sentences for its card"
    for read, pinned in inputs.items():
        assert f"- {read}: version {pinned.version} of Delta table id-of-{read}" in card
    parts = ["Decision", "Learnt from", "Takes", "Assumes", "Diagnostics", "Checks not passed", "Limits", "Parameters"]
    places = [card.index(f"\n## {part}\n") for part in parts]
    assert places == sorted(places)
    for sentence in (*table.assumes, *table.limits, "later_figure: 0.25", "fairness: gap .21 <.15 allowed>", "code c0de"):
        assert sentence in card
    assert table.description.split("\n")[0] in card and len(table.description.split()) >= 8, "what it is for, in words"
    first = report[: report.index("<h2>")]
    assert "<p>Version judged rejected: fairness: gap .21.</p>" in first and "<p>" + table.description[:20] in first
    assert chart in report and report.index("Model card") > report.index(chart)
    assert "gap .21 &lt;.15 allowed&gt;" in report and "http" not in report and "<script" not in report
    assert kept["other.html"] == "as it is"
