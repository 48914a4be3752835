"""A database and a bucket of their own for each test that asks."""

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from infra.world.advance import Place
from lakehouse import storage
from lakehouse.settings import Settings


@pytest.fixture(scope="module")
def places(stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Place]]:
    """The same for a whole file of tests."""
    yield from _places(stack, tmp_path_factory.mktemp("world"))


@pytest.fixture
def place(stack: Settings, tmp_path: Path) -> Iterator[Callable[[], Place]]:
    """Makes places for worlds; what was made is removed afterwards."""
    yield from _places(stack, tmp_path)


def _places(stack: Settings, folder: Path) -> Iterator[Callable[[], Place]]:
    password = json.loads((stack.home / "secrets.json").read_text())["postgres"]
    admin = make_conninfo(stack.shop_url.get_secret_value(), user="postgres", password=password, dbname="postgres")
    made: list[str] = []

    def make() -> Place:
        name = f"world_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        bucket = name.replace("_", "-")
        storage.client().create_bucket(Bucket=bucket)
        made.append(name)
        return Place(make_conninfo(admin, dbname=name), storage.client(), bucket, folder / name)

    yield make
    for name in made:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s", [name])
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        bucket = name.replace("_", "-")
        for found in list(storage.list_objects(f"s3://{bucket}/")):
            storage.delete(found.uri)
        storage.client().delete_bucket(Bucket=bucket)
