"""The propensity model against the world's truth: how close to the best that anybody could do, and the same again from MLflow."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.world.advance import World
from lakehouse.graph import Graph, load
from lakehouse.models import load_version, newest_version
from lakehouse.models.train import retrain
from lakehouse.run import land, run_table
from lakehouse.settings import REPOSITORY, settings

UNTIL = datetime(2026, 11, 19, 11, tzinfo=UTC)
READ = ("shop__customers", "shop__orders", "customers", "orders", "purchase_propensity")
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def trained(places: Any) -> Iterator[tuple[Graph, Any]]:
    place = places()
    wanted = {
        "LAKEHOUSE_LAKE": f"s3a://lake/_dev_{place.bucket}",
        "LAKEHOUSE_LANDING": f"s3://{place.bucket}",
        "LAKEHOUSE_SHOP_URL": place.dsn,
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ |= wanted
    settings.cache_clear()
    World(place, progress=lambda _: None).create("small", UNTIL)
    graph = load(REPOSITORY / "jobs")
    land(graph, "shop")
    for name in READ:
        run_table(graph, name)
    yield graph, place
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})
    settings.cache_clear()


def test_it_comes_within_two_points_of_the_best_achievable_and_is_calibrated_on_later_time(trained: tuple[Graph, Any]) -> None:
    import pyarrow.parquet as pq

    metrics = load_version("purchase_propensity").metrics
    checked = UNTIL.date() - timedelta(days=30)  # the last day whose label is whole; the truth names the morning after a day
    best = pq.read_table(trained[1].truth / "achievable" / f"{checked}.parquet").to_pylist()[0]["expected_auc_all"]
    print(f"AUC {metrics['later_auc']:.4f} (by recency alone {metrics['baseline_auc']:.4f}), best achievable {best:.4f}, "
          f"calibration slope {metrics['later_calibration_slope']:.3f}, n {metrics['later_rows']:.0f}")  # fmt: skip
    assert metrics["later_auc"] >= best - 0.02
    assert metrics["later_auc"] > metrics["baseline_auc"]
    assert 0.9 <= metrics["later_calibration_slope"] <= 1.1


def test_training_again_from_its_mlflow_run_gives_the_same_figures(trained: tuple[Graph, Any]) -> None:
    then_and_now = retrain(trained[0], load_version("purchase_propensity").run_id)
    assert then_and_now
    assert {name for name, (then, now) in then_and_now.items() if then != now} == set()


def test_a_model_whose_inputs_have_not_moved_is_not_trained_again(trained: tuple[Graph, Any]) -> None:
    before = newest_version("purchase_propensity")
    assert run_table(trained[0], "purchase_propensity").state == "up to date"
    assert newest_version("purchase_propensity") == before
