"""A set-up that was interrupted is done again by the next start."""

import sys
from pathlib import Path

from infra.stack import credentials
from infra.stack.config import Config
from infra.stack.programs import airflow, postgres, spark
from infra.stack.programs.program import Place


def _place(config: Config) -> Place:
    nowhere = Path("/nonexistent")
    made = credentials.read_or_make(config.home, config.home / "postgres")
    return Place(config, made, Path(sys.executable), nowhere, nowhere, nowhere)


def test_a_database_cluster_made_half_is_made_anew(config: Config) -> None:
    place = _place(config)
    (config.home / "postgres.new").mkdir()
    (config.home / "postgres.new" / "PG_VERSION").write_text("half")
    (config.home / "postgres").mkdir()
    program = postgres.program(place)
    assert program.prepare
    program.prepare()
    assert (config.home / "postgres" / "global" / "pg_control").exists()
    assert not (config.home / "postgres.new").exists()
    assert not (config.home / "postgres.password").exists()


def test_no_command_holds_a_secret(config: Config) -> None:
    place = _place(config)
    secrets = vars(place.credentials).values()
    for program in [postgres.program(place), spark.program(place), *airflow.programs(place)]:
        assert not any(secret in word for word in program.command for secret in secrets)
        assert not any(secret in value for value in program.environment.values() for secret in secrets)


def test_sparks_settings_hold_no_key(config: Config) -> None:
    place = _place(config)
    program = spark.program(place)
    assert program.prepare
    program.prepare()
    conf = config.home / "spark" / "conf"
    assert place.credentials.s3_secret_key not in (conf / "spark-defaults.conf").read_text()
    assert place.credentials.s3_secret_key in (conf / "core-site.xml").read_text()
    assert {file.stat().st_mode & 0o077 for file in conf.iterdir()} == {0}
