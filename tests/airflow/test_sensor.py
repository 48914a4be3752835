"""What the night waits for, and how it says so."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

import lakehouse.run
from lakehouse.errors import LakehouseError
from lakehouse.run import Cut
from plugins.lakehouse_airflow.schedules import day_of, end_of
from plugins.lakehouse_airflow.sensor import WatermarkSensor, behind

NEEDED = end_of(date(2026, 11, 21))


def test_nothing_is_said_once_every_source_is_complete():
    assert behind({"shop": "2026-11-22T00:00:00+00:00", "web": "2026-11-22T07:00:00Z"}, ("shop", "web"), NEEDED) == []


def test_the_log_names_the_source_behind_and_by_how_much():
    late = behind({"shop": "2026-11-22T01:00:00Z", "web": "2026-11-20T21:30:00Z"}, ("shop", "web"), NEEDED)
    assert late == ["source 'web': complete to 2026-11-20 21:30 UTC, needed to 2026-11-22 00:00 UTC: 1 d 2 h 30 min behind"]


def test_a_source_that_never_came_is_named():
    assert behind({"shop": None}, ("ads", "shop"), NEEDED) == [
        "source 'ads': nothing has arrived yet; needed complete to 2026-11-22 00:00 UTC",
        "source 'shop': nothing has arrived yet; needed complete to 2026-11-22 00:00 UTC",
    ]


def test_a_time_without_zone_is_utc():
    assert behind({"shop": "2026-11-22T00:00:00"}, ("shop",), NEEDED) == []


@pytest.mark.parametrize("key", ["2026-11-21", "2026-11-21T13"])
def test_the_partition_key_gives_the_day(key):
    assert day_of({"partition_key": key}) == date(2026, 11, 21)


def test_a_run_asked_for_without_a_key_is_for_the_last_day_that_is_over():
    run = SimpleNamespace(run_after=datetime(2026, 11, 22, 9, tzinfo=UTC))
    assert day_of({"partition_key": None, "dag_run": run}) == date(2026, 11, 21)


def test_a_key_that_is_no_day_is_refused_with_the_repair():
    with pytest.raises(LakehouseError, match=r"partition key 'yesterday' names no day.*2026-11-21.*Trigger the run again"):
        day_of({"partition_key": "yesterday"})


@pytest.fixture
def sensor(shop) -> WatermarkSensor:
    return WatermarkSensor(task_id="wait_for_data", graph=shop, cut_of="hourly", sources=("shop", "web"))


def test_it_passes_with_the_cut_that_is_complete_for_the_day(sensor, monkeypatch):
    cut = Cut("hourly", "r", "", {}, {"shop": "2026-11-22T00:00:00Z", "web": "2026-11-22T07:00:00Z"}, "20261122T0705")
    monkeypatch.setattr(lakehouse.run, "last_cut", lambda dag: cut)
    assert sensor.poke({"partition_key": "2026-11-21"}).xcom_value == "20261122T0705"


def test_before_the_first_cut_and_while_the_store_is_away_it_waits(sensor, monkeypatch):
    monkeypatch.setattr(lakehouse.run, "last_cut", lambda dag: None)
    assert not sensor.poke({"partition_key": "2026-11-21"})

    def away(dag):
        raise ConnectionError("refused")

    monkeypatch.setattr(lakehouse.run, "last_cut", away)
    assert not sensor.poke({"partition_key": "2026-11-21"})
