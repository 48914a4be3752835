"""What a person reads when the machine is not as it should be."""

import os
import socket
from pathlib import Path

import pytest

from infra.stack import config as configuration
from infra.stack import credentials, downloads, machine
from infra.stack.config import Config
from infra.stack.stack import Stack
from lakehouse.errors import LakehouseError
from tests.stack.conftest import program


def test_an_occupied_port_is_told_with_the_process_that_holds_it(config: Config) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LakehouseError) as told:
            Stack(config, print)._check_ports([program("minio", "true", ports={"s3": port})])
    message = str(told.value)
    assert f"port {port} (s3) is held by process {os.getpid()}" in message
    assert "LAKEHOUSE_PORT_S3=" in message
    assert "FREE_PORTS=1" in message


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(LakehouseError, match=r"has [\d.]+ GB free, but 1e\+06 GB are needed"):
        machine.require_room(tmp_path / "not" / "yet" / "made", 1e6)
    assert not any(tmp_path.iterdir())


def test_a_disk_limit_that_is_no_number_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_DISK_MINIMUM_GB", "plenty")
    with pytest.raises(LakehouseError, match=r"LAKEHOUSE_DISK_MINIMUM_GB is 'plenty', but a number is needed"):
        configuration.read()


def test_a_missing_program_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(LakehouseError, match=r"`mvn` is missing. Install it: apt-get install maven"):
        machine.require("mvn", print)


@pytest.mark.parametrize(
    ("program_name", "says", "told"),
    [
        ("java", 'openjdk version "11.0.2"', "is 11, but Spark needs 17 or later"),
        ("go", "go version go1.19.8 linux/amd64", "is go1.19, too old to build MinIO: Go 1.24 or later is needed"),
    ],
)
def test_a_program_too_old_is_told_with_what_is_needed(
    program_name: str, says: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / program_name
    old.write_text(f"#!/bin/sh\necho '{says}'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(LakehouseError, match=told):
        getattr(machine, f"require_{program_name}")(print)


def test_lost_secrets_are_told_instead_of_locking_the_data_away(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(LakehouseError, match=r"secrets.json is missing, but .* was made with the secrets in it"):
        credentials.read_or_make(tmp_path, tmp_path / "postgres")


def test_secrets_that_others_may_read_are_refused(tmp_path: Path) -> None:
    credentials.read_or_make(tmp_path, tmp_path / "postgres")
    (tmp_path / credentials.FILE).chmod(0o644)
    with pytest.raises(LakehouseError, match=r"others may read it. Repair: chmod 600"):
        credentials.read(tmp_path)


def test_a_command_beside_another_names_the_one_at_work(config: Config) -> None:
    one, other = Stack(config, print), Stack(config, print)
    with (
        one._alone(),
        pytest.raises(LakehouseError, match=rf"Another command .* \(process {os.getpid()}\)"),
        other._alone(),
    ):
        pass


def test_reset_spares_a_folder_that_is_no_stack(config: Config) -> None:
    (config.home / "ports.json").unlink()
    (config.home / "thesis.txt").write_text("important")
    with pytest.raises(LakehouseError, match=r"does not look like a stack's folder"):
        Stack(config, print).reset()
    assert (config.home / "thesis.txt").exists()


def test_a_minio_of_another_version_is_built_again(tmp_path: Path) -> None:
    program_file = tmp_path / "minio"
    assert not downloads._is_pinned(program_file)
    program_file.write_bytes(b"\x7fELF mod\tgithub.com/minio/minio\tv0.0.0-2020\n")
    assert not downloads._is_pinned(program_file)
    program_file.write_bytes(f"mod\tgithub.com/minio/minio\t{downloads.MINIO_VERSION}".encode())
    assert downloads._is_pinned(program_file)
