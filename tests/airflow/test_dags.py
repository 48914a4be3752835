"""What the graph becomes: tasks, edges, groups, pages."""

import shutil
from pathlib import Path

import pytest
from airflow.sdk import DAG, TriggerRule

from lakehouse.graph import Graph, load
from plugins.lakehouse_airflow import dag_of, every_day, every_hour, every_week, maintenance_of


@pytest.fixture(scope="module")
def hourly(shop: Graph) -> DAG:
    return dag_of(shop, "hourly", schedule=every_hour(5), text="Every hour.", lands=True)


@pytest.fixture(scope="module")
def nightly(shop: Graph) -> DAG:
    return dag_of(shop, "nightly", schedule=every_day("02:15"), text="Every night.", waits_for="hourly", publishes=True)


@pytest.fixture(scope="module")
def weekly(shop: Graph) -> DAG:
    return dag_of(shop, "weekly", schedule=every_week(1, "03:30"), text="Every week.", reads="nightly")


def edges(dag: DAG) -> set[tuple[str, str]]:
    return {(task.task_id, below) for task in dag.tasks for below in task.downstream_task_ids}


def test_every_table_of_a_rhythm_is_one_task_of_its_dag(shop, hourly, nightly, weekly):
    ends = {"cut", "publish", "wait_for_data", "land_shop"}
    assert set(hourly.task_ids) - ends == set(shop.refreshed("hourly"))
    assert set(nightly.task_ids) - ends == {*shop.refreshed("nightly"), "propensity"}
    assert set(weekly.task_ids) == {"propensity"}


def test_edges_are_those_of_the_graph_with_landing_first_and_the_cut_last(hourly):
    assert edges(hourly) == {
        ("land_shop", "shop__orders"), ("shop__orders", "orders"), ("web__events", "pages"),
        ("orders", "cut"), ("pages", "cut"), ("retail__lines", "cut"),
    }  # fmt: skip


def test_the_night_waits_for_data_trains_a_missing_model_first_and_ends_in_the_warehouse(nightly):
    assert edges(nightly) == {
        ("wait_for_data", "dim_order"), ("dim_order", "fct_orders"), ("wait_for_data", "fct_orders"),
        ("fct_orders", "feat_order"), ("feat_order", "propensity"), ("feat_order", "pred_order"),
        ("propensity", "pred_order"), ("pred_order", "cut"), ("cut", "publish"),
    } - {("wait_for_data", "fct_orders")}  # fmt: skip
    assert nightly.task_dict["propensity"].if_missing


def test_the_night_waits_for_sources_that_say_to_when_they_are_complete_and_not_for_files_dropped_in(nightly):
    assert nightly.task_dict["wait_for_data"].sources == ("shop", "web")


def test_weekly_training_is_not_held_up_by_a_model_that_exists(weekly):
    assert not weekly.task_dict["propensity"].if_missing


def test_the_cut_speaks_even_when_a_table_failed_and_the_publication_needs_the_cut(nightly):
    assert nightly.task_dict["cut"].trigger_rule == TriggerRule.ALL_DONE
    assert nightly.task_dict["publish"].trigger_rule == TriggerRule.ALL_SUCCESS


def test_tasks_are_grouped_by_layer_under_their_own_names(nightly):
    groups = {child.group_id: set(child.children) for child in nightly.task_group.children.values() if hasattr(child, "children")}
    assert groups == {
        "gold": {"dim_order", "fct_orders"}, "features": {"feat_order"}, "models": {"propensity"}, "predictions": {"pred_order"},
    }  # fmt: skip


def test_a_task_page_tells_description_owner_key_inputs_columns_and_rules(hourly):
    orders = hourly.task_dict["orders"]
    assert orders.owner == "commerce"
    for said in ("One row per order.", "Deduplicated.", "**Owner**: commerce", "`order_id`", "| `shop__orders` | changes |",
                 "at_least(0) (quarantine)", "Total, a\\|b.", "95%", "jobs/silver/orders.py"):  # fmt: skip
        assert said in orders.doc_md, said


def test_a_dag_page_lists_its_tables_by_layer(nightly):
    assert "#### gold" in nightly.doc_md
    assert "| `fct_orders` | Orders. | commerce | `orders`, `pages`, `dim_order` |" in nightly.doc_md
    assert {"lakehouse", "gold", "features", "predictions"} <= nightly.tags


def test_each_table_is_an_asset_and_edges_across_dags_are_inlets(hourly, nightly):
    assert [a.uri for a in hourly.task_dict["orders"].outlets] == ["lakehouse://silver/orders"]
    assert {a.name for a in nightly.task_dict["fct_orders"].inlets} == {"orders", "pages", "dim_order"}


def test_maintenance_visits_every_table_one_after_the_other(shop):
    dag = maintenance_of(shop, schedule=every_day("04:40"), text="Clean.")
    assert set(dag.task_ids) == {name for name, table in shop.tables.items() if table.kind == "table"}
    assert dag.max_active_tasks == 1


def test_airflow_can_store_every_dag(hourly, nightly, weekly):
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in (hourly, nightly, weekly):
        again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
        assert set(again.task_ids) == set(dag.task_ids)
        assert again.timetable.partitioned


def test_the_key_of_a_scheduled_run_is_the_hour_or_day_that_is_over(hourly, nightly):
    from airflow.serialization.serialized_objects import DagSerialization
    from pendulum import datetime

    def key(dag: DAG) -> str:
        timetable = DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable
        return timetable._get_partition_info(datetime(2026, 11, 22, 8, 5) if dag is hourly else datetime(2026, 11, 22, 2, 15))[1]

    assert key(hourly) == "2026-11-22T07"
    assert key(nightly) == "2026-11-21"


NEW = '''
from lakehouse.declare import SQL, Column, Snapshot, table


@table(key="country", owner="commerce", refresh="nightly", columns=[Column("country", "string", "Two letters.")])
def dim_country(customers: Snapshot) -> SQL:
    """One row per country that customers live in."""
    return SQL("SELECT DISTINCT country FROM customers WHERE country IS NOT NULL")
'''


def test_a_new_file_is_a_new_task_with_page_edges_and_asset_and_nothing_else_changes(tmp_path):
    jobs = tmp_path / "jobs"
    shutil.copytree(Path(__file__).parents[2] / "jobs", jobs, ignore=shutil.ignore_patterns("__pycache__"))

    def dags() -> dict[str, DAG]:
        graph = load(jobs)
        return {
            "hourly": dag_of(graph, "hourly", schedule=every_hour(5), text="Every hour.", lands=True),
            "nightly": dag_of(graph, "nightly", schedule=every_day("02:15"), text="Every night.", waits_for="hourly", publishes=True),
        }

    before = dags()
    (jobs / "gold" / "dim_country.py").write_text(NEW, encoding="utf-8")
    after = dags()
    assert set(after["hourly"].task_ids) == set(before["hourly"].task_ids)
    assert set(after["nightly"].task_ids) - set(before["nightly"].task_ids) == {"dim_country"}
    assert edges(after["nightly"]) - edges(before["nightly"]) == {("wait_for_data", "dim_country"), ("dim_country", "cut")}
    assert edges(before["nightly"]) <= edges(after["nightly"])
    task = after["nightly"].task_dict["dim_country"]
    assert "One row per country" in task.doc_md
    assert [a.uri for a in task.outlets] == ["lakehouse://gold/dim_country"]
    assert [a.name for a in task.inlets] == ["customers"]
