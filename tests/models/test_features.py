"""What holds for every feature table, also for one written tomorrow: it knows its moment, and is stopped where it knows later ones."""

from typing import Any

import pytest

from lakehouse.graph import Graph, load
from lakehouse.settings import REPOSITORY


@pytest.fixture(scope="module")
def graph() -> Graph:
    return load(REPOSITORY / "jobs")


@pytest.fixture(scope="module")
def features(graph: Graph) -> list[Any]:
    return [table for table in graph.tables.values() if table.layer == "features"]


def test_every_feature_table_is_of_a_person_and_a_day_and_stops_where_a_record_was_made_later(features):
    assert len(features) >= 5
    for table in features:
        assert table.key == ("customer_id", "as_of_date"), table.name
        columns = {column.name: column for column in table.columns}
        assert columns["customer_id"].sensitivity == "pseudonym", f"{table.name}: who is in a training set could not be told"
        (known,) = [name for name in columns if name.endswith("known_until")]
        rules = {rule.name: rule for rule in table.checks}
        rule = rules["nothing_known_later"]
        assert rule.action == "stop" and rule.predicate == f"{known} < date_add(as_of_date, 1)", table.name


def test_every_feature_the_served_propensity_takes_is_watched_for_drift():
    from jobs.models.purchase_propensity import COLUMNS
    from jobs.predictions.pred_propensity_evaluation import COLUMNS as WATCHED

    assert set(COLUMNS) == set(WATCHED)


def test_every_model_that_scores_customers_nightly_is_watched(graph):
    from jobs.predictions.pred_model_drift import WATCHED

    assert graph["purchase_propensity"].watched_by == "pred_propensity_evaluation"
    assert {name for name, table in graph.tables.items() if table.watched_by == "pred_model_drift"} == set(WATCHED)
    assert {name for name in WATCHED if graph[name].kind == "model"} == {"customer_value", "customer_segments", "newsletter_uplift"}


def test_a_model_that_learns_from_people_names_them_so_that_the_erased_leave_it(graph):
    from lakehouse.models.watch import _person

    for name in ("purchase_propensity", "customer_value", "customer_segments", "newsletter_uplift", "customer_attitudes"):
        for read in graph.upstream(name):
            assert _person(graph[read]) == "customer_id", f"{name} reads {read}"
