"""Secrets and ports: made once, kept for their owner alone."""

import stat
from dataclasses import asdict
from pathlib import Path

import pytest

from infra.stack import config as configuration
from infra.stack import credentials
from infra.stack.config import Config
from infra.stack.supervisor import Supervisor
from lakehouse.errors import LakehouseError
from lakehouse.settings import settings
from tests.stack.conftest import program


def test_secrets_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    first = credentials.read_or_make(tmp_path / "home", tmp_path / "data")
    again = credentials.read_or_make(tmp_path / "home", tmp_path / "data")
    assert first == again
    assert stat.S_IMODE((tmp_path / "home" / credentials.FILE).stat().st_mode) == 0o600


def test_secrets_do_not_show_when_printed(tmp_path: Path) -> None:
    made = credentials.read_or_make(tmp_path, tmp_path / "data")
    assert not any(secret in f"{made} {made!r}" for secret in asdict(made).values())


def test_a_secret_new_to_this_version_is_added_to_the_others(tmp_path: Path) -> None:
    first = credentials.read_or_make(tmp_path, tmp_path / "data")
    kept = {name: value for name, value in asdict(first).items() if name != "mlflow"}
    (tmp_path / credentials.FILE).write_text(str(kept).replace("'", '"'))
    again = credentials.read_or_make(tmp_path, tmp_path / "data")
    assert again.loader == first.loader
    assert again.mlflow != first.mlflow


def test_the_supervisors_file_is_for_its_owner_only(config: Config) -> None:
    supervisor = Supervisor(config)
    supervisor.write([program("store", "sleep", "9", environment={"KEY": "50%secret"})])
    assert stat.S_IMODE(supervisor.file.stat().st_mode) == 0o600
    assert 'KEY="50%%secret"' in supervisor.file.read_text()


def test_free_ports_differ_and_stay(config: Config) -> None:
    ports = asdict(config.ports)
    assert len(set(ports.values())) == len(ports)
    assert configuration.with_free_ports(configuration.read()).ports == config.ports


def test_a_port_from_the_environment_wins(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_PORT_SPARK", "15999")
    assert configuration.read().ports.spark == 15999
    assert configuration.read().ports.s3 == config.ports.s3


@pytest.mark.usefixtures("clean_settings")
def test_settings_without_a_stack_say_how_to_start_one(config: Config) -> None:
    with pytest.raises(LakehouseError, match=r"(?s)LAKEHOUSE_SPARK_URL: field required.*make up"):
        settings()


@pytest.mark.usefixtures("clean_settings")
def test_a_settings_file_that_others_may_read_is_refused(config: Config) -> None:
    (config.home / "lakehouse.env").write_text("LAKEHOUSE_SPARK_URL=sc://127.0.0.1:1\n")
    (config.home / "lakehouse.env").chmod(0o644)
    with pytest.raises(LakehouseError, match=r"Repair: chmod 600"):
        settings()
