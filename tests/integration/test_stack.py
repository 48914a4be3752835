"""The real stack: what it shows to others, and that it comes back."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import pytest

from infra.stack import credentials
from infra.stack.supervisor import Supervisor
from lakehouse import storage
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

Give = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def secrets(stack: Settings) -> list[str]:
    """Every secret of the stack but the store's user name."""
    return [value for name, value in vars(credentials.read(stack.home)).items() if name != "s3_access_key"]


@pytest.fixture
def supervisor(stack: Settings, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    """The supervisor of the stack under test."""
    from infra.stack import config as configuration

    monkeypatch.setenv("LAKEHOUSE_HOME", str(stack.home))
    return Supervisor(configuration.read())


def spark_session(stack: Settings, token: str = "") -> "SparkSession":
    """A client of the stack's server, as any program of this machine could be one."""
    from pyspark.sql.connect.session import SparkSession

    return SparkSession.builder.remote(f"{stack.spark_url}/;token={token or stack.spark_token.get_secret_value()}").create()


@pytest.mark.integration
def test_no_secret_shows_in_any_process_list(secrets: list[str]) -> None:
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        assert not [secret for secret in secrets if secret in command], process.pid


@pytest.mark.integration
def test_no_secret_is_in_a_log(stack: Settings, secrets: list[str]) -> None:
    logs = [each for each in (stack.home / "logs").rglob("*") if each.is_file()]
    assert logs
    for log in logs:
        text = log.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in text], log


@pytest.mark.integration
def test_a_password_in_a_clients_plan_is_not_logged(stack: Settings) -> None:
    from pyspark.errors import PySparkException

    session = spark_session(stack)
    address = urlsplit(stack.warehouse_url.get_secret_value())
    reader = session.read.format("jdbc").options(
        url=f"jdbc:postgresql://{address.hostname}:{address.port}/warehouse",
        driver="org.postgresql.Driver", user=address.username, password=address.password,
    )  # fmt: skip
    assert reader.option("dbtable", "(SELECT 7 AS seven) AS t").load().collect()[0].seven == 7
    with pytest.raises(PySparkException):
        reader.option("dbtable", "nowhere.nothing").load().collect()
    session.stop()
    assert str(address.password) not in (stack.home / "logs" / "spark.log").read_text(errors="replace")


@pytest.mark.integration
def test_files_with_secrets_are_for_their_owner_only(stack: Settings, secrets: list[str]) -> None:
    with_secrets = 0
    for folder, _, names in os.walk(stack.home):
        for name in names:
            file = Path(folder, name)
            if {"minio", "postgres"} & set(file.parts) or not file.is_file():
                continue
            if any(secret in file.read_text(errors="replace") for secret in secrets):
                with_secrets += 1
                assert file.stat().st_mode & 0o077 == 0, file
    assert with_secrets >= 3


@pytest.mark.integration
def test_a_spark_client_cannot_read_the_stores_keys(stack: Settings) -> None:
    from pyspark.errors import PySparkException

    session = spark_session(stack)
    secret = stack.s3_secret_key.get_secret_value()
    shown = str(session.sql("SET -v").collect()) + str(session.sql("SET").collect())
    assert secret not in shown
    for name in ("spark.hadoop.fs.s3a.secret.key", "fs.s3a.secret.key"):
        with pytest.raises(PySparkException):
            session.conf.get(name)
    session.stop()


@pytest.mark.integration
def test_who_does_not_know_the_token_gets_no_spark_session(stack: Settings) -> None:
    from pyspark.errors import PySparkException

    session = spark_session(stack, token="guess")
    with pytest.raises(PySparkException, match=r"(?i)unauthenticated|token"):
        session.sql("SELECT 1").collect()
    session.stop()  # it would stay this thread's active session, which others ask for


@pytest.mark.integration
def test_everything_listens_on_this_machine_only(stack: Settings, supervisor: Supervisor) -> None:
    numbers = {each.pid for each in supervisor.processes()}
    listening = [each.laddr for each in psutil.net_connections("inet") if each.pid in numbers and each.status == psutil.CONN_LISTEN]
    assert len(listening) >= 5
    assert {address.ip.removeprefix("::ffff:") for address in listening} <= {"127.0.0.1", "::1"}


@pytest.mark.integration
def test_spark_writes_delta_tables_to_the_store(stack: Settings) -> None:
    session = spark_session(stack)
    table = f"{stack.lake}/_test_stack/numbers"
    session.range(100).write.format("delta").mode("overwrite").save(table)
    assert session.read.format("delta").load(table).count() == 100
    assert storage.exists(f"{table}/_delta_log/00000000000000000000.json")
    assert storage.delete_prefix(f"{stack.lake}/_test_stack/") > 1
    session.stop()


@pytest.mark.integration
def test_who_reads_the_warehouse_cannot_write_and_sees_no_other_database(stack: Settings) -> None:
    import psycopg

    reader = stack.reader_url.get_secret_value()
    with psycopg.connect(reader) as open_, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        open_.execute("CREATE TABLE marts.mine (a int)")
    with psycopg.connect(reader, autocommit=True) as open_:
        open_.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            open_.execute("CREATE TABLE marts.mine (a int)")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(reader.replace("/warehouse", "/shop"))


@pytest.mark.integration
def test_an_object_is_written_once_where_that_is_asked(stack: Settings) -> None:
    address = f"{stack.landing}/_test_stack/once"
    try:
        assert storage.put(address, b"first", only_if_absent=True)
        assert not storage.put(address, b"second", only_if_absent=True)
        assert storage.get(address) == b"first"
        assert [each.size for each in storage.list_objects(f"{stack.landing}/_test_stack/")] == [5]
    finally:
        storage.delete(address)
    assert storage.get(address) is None


def _store_answers(stack: Settings) -> bool:
    import requests

    try:
        return requests.get(f"{stack.s3_endpoint}/minio/health/ready", timeout=2).ok
    except requests.RequestException:
        return False


@pytest.mark.integration
def test_a_killed_store_is_back_by_itself_and_up_changes_nothing(stack: Settings, supervisor: Supervisor, stack_command: Give) -> None:
    first = supervisor.states()["minio"].pid
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 90
    while supervisor.states()["minio"].pid in (0, first):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    while not _store_answers(stack):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    before = {name: state.pid for name, state in supervisor.states().items()}
    said = stack_command("up", "--light").stderr
    assert "minio              is up" in said or "minio              ready" in said
    assert {name: state.pid for name, state in supervisor.states().items()} == before


@pytest.mark.integration
def test_status_tells_memory_and_addresses(stack: Settings, stack_command: Give) -> None:
    told = stack_command("status").stdout
    assert "within the goal of 6 GB" in told
    for address in (stack.mlflow_url, stack.spark_url, stack.airflow_url):
        assert address in told


@pytest.mark.airflow
def test_airflow_lets_its_user_in_and_nobody_else(airflow_stack: Settings) -> None:
    import requests

    def sign_in(password: str) -> int:
        asked = {"username": airflow_stack.airflow_user, "password": password}
        return requests.post(f"{airflow_stack.airflow_url}/auth/token", json=asked, timeout=20).status_code

    assert sign_in(airflow_stack.airflow_password.get_secret_value()) == 201
    assert sign_in("guess") == 401
    assert requests.get(f"{airflow_stack.airflow_url}/api/v2/dags", timeout=20).status_code == 401


@pytest.mark.airflow
def test_the_whole_stack_stays_within_its_memory(airflow_stack: Settings, stack_command: Give) -> None:
    import requests

    report = requests.get(f"{airflow_stack.airflow_url}/api/v2/monitor/health", timeout=20).json()
    assert {part["status"] for part in report.values()} == {"healthy"}, json.dumps(report)
    assert "within the goal of 6 GB" in stack_command("status").stdout
