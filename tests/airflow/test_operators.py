"""What a task tells Airflow and a person: success with its figures, a failure with its reason, another try only where it can help."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowException, AirflowFailException

import lakehouse.run
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from lakehouse.run import Report, Stopped
from plugins.lakehouse_airflow.build import asset_of
from plugins.lakehouse_airflow.cuts import complete_to, failed_of
from plugins.lakehouse_airflow.operators import TableOperator, attempt_of

EVENING = "2026-11-21T23:00:00+00:00"


class Instance(SimpleNamespace):
    def xcom_pull(self, task_ids: str) -> None:
        return None


class Events(dict):
    def __missing__(self, asset: Asset) -> SimpleNamespace:
        self[asset] = SimpleNamespace(extra={})
        return self[asset]


def context(number: int = 1) -> dict:
    ti = Instance(dag_id="hourly", run_id="manual", task_id="orders", try_number=number)
    return {"ti": ti, "partition_key": "2026-11-21T13", "outlet_events": Events()}


@pytest.fixture
def task(shop: Graph) -> TableOperator:
    return TableOperator(task_id="orders", graph=shop, table="orders", outlets=[asset_of(shop["orders"])])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    """Let the run of a table end in a given way."""

    def ends(result: object) -> list:
        asked = []

        def run_table(graph, name, **how):
            asked.append((name, how))
            if isinstance(result, BaseException):
                raise result
            return result

        monkeypatch.setattr(lakehouse.run, "run_table", run_table)
        return asked

    return ends


def report(**facts) -> Report:
    return Report("orders", **{"state": "published", "run_id": "r", "version": 7, "rows": 120, "rows_written": 20, "score": 0.998, **facts})


def test_a_success_puts_rows_score_and_version_on_the_asset_event(task, run, shop):
    run(report())
    told = context()
    task.execute(told)
    (event,) = told["outlet_events"].values()
    assert {"rows": 120, "written": 20, "score": 0.998, "version": 7, "state": "published"}.items() <= event.extra.items()


def test_up_to_date_is_a_success_that_says_so(task, run, capsys):
    run(report(state="up to date", reason="nothing it reads has moved", rows_written=0))
    assert task.execute(context())["state"] == "up to date"
    assert "orders: up to date (nothing it reads has moved)" in capsys.readouterr().out


def test_a_run_knows_its_day_and_the_name_of_its_try(task, run):
    asked = run(report())
    task.execute(context())
    ((name, how),) = asked
    assert (name, str(how["as_of"]), how["attempt"]) == ("orders", "2026-11-21", "hourly/manual/orders/1")


def test_a_level_1_stop_is_told_in_full_and_not_tried_again(task, run):
    run(Stopped("orders: stopped by rule 'order_id: not_null': 3 rows\nsample keys: 1, 2, 3", []))
    with pytest.raises(AirflowFailException, match="stopped by rule 'order_id: not_null': 3 rows") as failure:
        task.execute(context())
    assert failure.value.__suppress_context__, "no wall of traceback under the reason"
    assert str(failure.value).endswith("sample keys: 1, 2, 3")


def test_a_lost_connection_is_tried_again(task, run):
    run(ConnectionResetError("the peer went away"))
    with pytest.raises(AirflowException, match=r"the peer went away.*tried again") as failure:
        task.execute(context())
    assert not isinstance(failure.value, AirflowFailException)


def test_an_error_of_ours_that_a_lost_connection_caused_is_tried_again(task, run):
    lost = LakehouseError("Postgres does not answer")
    lost.__cause__ = TimeoutError("timed out")
    run(lost)
    with pytest.raises(AirflowException) as failure:
        task.execute(context())
    assert not isinstance(failure.value, AirflowFailException)


def test_a_mistake_in_code_is_not_tried_again_and_keeps_its_traceback(task, run):
    run(TypeError("unsupported operand"))
    with pytest.raises(AirflowFailException, match="TypeError: unsupported operand") as failure:
        task.execute(context())
    assert isinstance(failure.value.__cause__, TypeError)


def test_a_lost_spark_server_is_tried_again_but_not_what_the_server_found_wrong(task, run, monkeypatch):
    connect = ModuleType("pyspark.errors.exceptions.connect")
    connect.SparkConnectException = type("SparkConnectException", (Exception,), {})
    connect.SparkConnectGrpcException = type("SparkConnectGrpcException", (connect.SparkConnectException,), {})
    connect.AnalysisException = type("AnalysisException", (connect.SparkConnectGrpcException,), {})
    monkeypatch.setitem(sys.modules, connect.__name__, connect)
    run(connect.SparkConnectGrpcException("RESPONSE_ALREADY_RECEIVED"))
    with pytest.raises(AirflowException) as lost:
        task.execute(context())
    run(connect.AnalysisException("UNRESOLVED_COLUMN"))
    with pytest.raises(AirflowFailException):
        task.execute(context())
    assert not isinstance(lost.value, AirflowFailException)


def test_another_try_first_stops_what_the_earlier_ones_left_running(task, run, monkeypatch):
    stopped: list[str] = []
    monkeypatch.setattr(lakehouse.run, "interrupt", stopped.append)
    run(report())
    task.execute(context(number=3))
    assert stopped == ["hourly/manual/orders/1", "hourly/manual/orders/2"]
    assert attempt_of(context(number=3)) == "hourly/manual/orders/3"


def test_a_table_that_failed_or_never_ran_keeps_the_cut_from_being_written():
    ti = context()["ti"]
    ti.get_task_states = lambda dag_id, run_ids: {"manual": {"a": "success", "b": "failed", "c": "upstream_failed", "cut": "running"}}
    assert failed_of({"ti": ti}, ("a", "b", "c", "d")) == ["b", "c", "d"]


def test_a_source_is_complete_to_where_the_table_furthest_behind_has_taken_it(shop):
    marks = {"shop__orders": {"shop": "2026-11-22T01:00:00+00:00"}, "web__events": {"web": EVENING}, "retail__lines": {}}
    assert complete_to(shop, marks) == {"shop": "2026-11-22T01:00:00+00:00", "web": EVENING}


def test_a_source_of_which_one_table_found_nothing_makes_no_promise(shop):
    assert complete_to(shop, {"shop__orders": {}, "web__events": {"web": EVENING}}) == {"web": EVENING}
