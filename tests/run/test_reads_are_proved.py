"""The three-way proof at run time: a table reads its parameters and nothing else, and says so where one is never used."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.declare import Changes, Column, Snapshot, Touched, table
from lakehouse.delta.session import open_session
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph, load
from lakehouse.run import observed, plan
from lakehouse.settings import Settings, settings

pytestmark = pytest.mark.integration


@table(key="id", owner="tests", columns=[Column("id", "bigint", "A number.")])
def numbers(given: Snapshot, other: Snapshot) -> Any:
    """Numbers."""


@table(key="id", owner="tests", columns=[Column("id", "bigint", "A number.")])
def changed_numbers(given: Changes) -> Any:
    """Numbers, row by row."""


@table(key="id", owner="tests", columns=[Column("id", "bigint", "A number.")])
def grouped_numbers(given: Touched["id"]) -> Any:
    """Numbers, by group."""


@pytest.fixture(scope="module")
def spark(stack: Settings) -> Iterator[Any]:
    with open_session() as session:
        session.range(5).createOrReplaceTempView("secret")
        yield session


@pytest.fixture
def frames(spark: Any) -> dict[str, Any]:
    """What the engine hands in; the walk does not look into them."""
    return {"given": spark.createDataFrame([(1,)], "id bigint"), "other": spark.createDataFrame([(2,)], "id bigint")}


READS = {
    "a table by name": lambda f, s: f["given"].join(s.table("secret"), "id"),
    "a path": lambda f, s: f["given"].unionByName(s.read.format("delta").load("s3a://lake/silver/secret")),
    "SQL text": lambda f, s: f["given"].unionByName(s.sql("SELECT id FROM secret")),
    "SQL text, nested and quoted": lambda f, s: f["given"].join(s.sql("WITH a AS (SELECT id FROM `secret` AS b) SELECT * FROM a"), "id"),
    "SQL over a parameter and another table": lambda f, s: s.sql("SELECT x.id FROM {x} x JOIN secret USING (id)", x=f["given"]),
    "a subquery in where": lambda f, s: f["given"].where("id IN (SELECT id FROM secret)"),
    "a scalar subquery in an expression": lambda f, s: f["given"].select(F.expr("(SELECT max(id) FROM secret) AS id")),
    "rows made here": lambda f, s: f["given"].unionByName(s.createDataFrame([(9,)], "id bigint")),
    "a range": lambda f, s: f["given"].unionByName(s.range(3)),
}


@pytest.mark.parametrize("read", READS, ids=list(READS))
def test_a_read_that_no_parameter_declares_is_refused(read: str, frames: dict[str, Any], spark: Any) -> None:
    with pytest.raises(plan.UndeclaredRead, match="which is no parameter"):
        plan.check(numbers, READS[read](frames, spark), frames)


def test_a_temporary_view_is_refused_even_of_a_parameter(frames: dict[str, Any], spark: Any) -> None:
    frames["given"].createOrReplaceTempView("hidden")
    with pytest.raises(plan.UndeclaredRead, match="hidden"):
        plan.check(numbers, spark.table("hidden"), frames)


def test_a_checkpoint_is_refused(frames: dict[str, Any]) -> None:
    with pytest.raises(plan.UndeclaredRead, match="a checkpoint"):
        plan.check(numbers, frames["given"].localCheckpoint(), frames)


DECLARED = {
    "a join": lambda f, s: f["given"].join(f["other"], "id"),
    "a self join under aliases": lambda f, s: f["given"].alias("a").join(f["other"].alias("b"), F.expr("a.id = b.id")).select("a.id"),
    "a union of parts": lambda f, s: f["given"].where("id > 1").unionByName(f["other"]).unionByName(f["given"].where("id <= 1")),
    "SQL over parameters": lambda f, s: s.sql("WITH c AS (SELECT * FROM {g}) SELECT c.id FROM c, {o} o", g=f["given"], o=f["other"]),
    "the word select in a value": lambda f, s: f["given"].where("'select from secret' <> ''").unionByName(f["other"]),
}


@pytest.mark.parametrize("read", DECLARED, ids=list(DECLARED))
def test_reads_of_parameters_pass_whatever_they_are_called(read: str, frames: dict[str, Any], spark: Any) -> None:
    assert plan.check(numbers, DECLARED[read](frames, spark), frames) == []


def test_an_unused_parameter_is_told(frames: dict[str, Any]) -> None:
    (warning,) = plan.check(numbers, frames["given"].select("id"), frames)
    assert "parameter 'other' is never used. Remove it" in warning


WHOLE = {
    "an aggregate": lambda f: f.groupBy("id").count().select("id"),
    "a window": lambda f: f.select(F.lead("id").over(Window.orderBy("id")).alias("id")),
    "DISTINCT": lambda f: f.distinct(),
    "LIMIT": lambda f: f.limit(1),
    "an aggregate in text": lambda f: f.selectExpr("max(id) AS id"),
}


@pytest.mark.parametrize("operation", WHOLE, ids=list(WHOLE))
def test_what_needs_all_rows_is_refused_over_changes_and_allowed_over_groups(operation: str, frames: dict[str, Any]) -> None:
    given = {"given": frames["given"]}
    with pytest.raises(plan.NotRowWise, match="holds changed rows only"):
        plan.check(changed_numbers, WHOLE[operation](frames["given"]), given)
    assert plan.check(grouped_numbers, WHOLE[operation](frames["given"]), given) == []


CLOCKS = [lambda f: f.select(F.current_timestamp()), lambda f: f.where("rand() > 0.5"), lambda f: f.select(F.uuid())]


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_clock_or_chance_in_the_plan_is_refused(clock: Any, frames: dict[str, Any]) -> None:
    with pytest.raises(LakehouseError, match="no clock and no chance"):
        plan.check(numbers, clock(frames["given"]), frames)


# a table of its own package, really run -----------------------------------------------------------------------------------

BRONZE = '''
from lakehouse.declare import Column, JsonLines, Landed, table

@table(source=JsonLines("web/{name}"), owner="tests", columns=[Column("id", "bigint", "A number.")])
def web__{name}(landed: Landed):
    """Numbers as received."""
    return landed
'''
SILVER = '''
from lakehouse.declare import Changes, Column, Snapshot, table

@table(key="id", owner="tests", columns=[Column("id", "bigint", "A number.")])
def seen(web__shown: Changes{more}):
    """Numbers seen."""
    {body}
'''


@pytest.fixture
def lake(stack: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A lake over a package written for this test; both bronze tables are filled."""
    from lakehouse import storage
    from tests.proofs.lake import Lake

    package = tmp_path / f"read_{request.node.name.replace('[', '_').replace(']', '')[-24:]}"
    for layer in ("bronze", "silver"):
        (package / layer).mkdir(parents=True)
    for name in ("shown", "secret"):
        (package / "bronze" / f"web__{name}.py").write_text(BRONZE.format(name=name))

    def made(body: str, more: str = "") -> Lake:
        (package / "silver" / "seen.py").write_text(SILVER.format(body=body, more=more))
        found = Lake(load(package))
        for name in ("shown", "secret"):
            storage.put(f"s3://landing/{found.name}/web/{name}/a.jsonl", b'{"id": 1}\n{"id": 2}')
        lakes.append(found)
        found.run(["web__shown", "web__secret"])
        return found

    lakes: list[Lake] = []
    yield made
    for each in lakes:
        each.drop()


def test_a_run_that_reads_another_table_publishes_nothing(lake: Any) -> None:
    body = (
        "path = web__shown.inputFiles()[0].rsplit('/', 2)[0] + '/web__secret'\n"
        "    return web__shown.select('id').unionByName(web__shown.sparkSession.read.format('delta').load(path).select('id'))"
    )
    made = lake(body)
    with pytest.raises(plan.UndeclaredRead, match="web__secret, which is no parameter"):
        made.run(["seen"])
    assert made.log("seen").version is None


def test_a_run_with_an_unused_input_says_so(lake: Any) -> None:
    (report,) = lake("return web__shown.select('id')", ", web__secret: Snapshot").run(["seen"])
    assert report.state == "published"
    assert any("'web__secret' is never used" in w for w in report.warnings)


def test_what_spark_is_seen_to_read_must_be_declared(lake: Any, spark: Any) -> None:
    made = lake("return web__shown.select('id')")
    graph: Graph = made.graph
    with made.use():
        root = settings().lake
        shown = spark.read.format("delta").load(f"{root}/bronze/web__shown")
        secret = spark.read.format("delta").load(f"{root}/bronze/web__secret")
        observed.check(graph, graph["seen"], shown)
        with pytest.raises(plan.UndeclaredRead, match=r"Spark would read .*/bronze/web__secret, which is no parameter"):
            observed.check(graph, graph["seen"], shown.unionByName(secret))
