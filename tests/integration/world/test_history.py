"""The world where it really lives: Postgres and the landing bucket."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from infra.world.advance import Place, World, WorldError
from infra.world.shop import KEYS
from lakehouse import storage
from lakehouse.settings import REPOSITORY, Settings

UNTIL = datetime(2026, 11, 20, 5, tzinfo=UTC)
MakePlace = Callable[[], Place]
pytestmark = pytest.mark.integration


def world(place: Place) -> World:
    return World(place, progress=lambda _: None)


def rows(place: Place, *, numbered: bool = True) -> dict[str, list[str]]:
    """Every row of the shop as text; of the outbox without transaction, and without the number where a kill may have cost some."""
    outbox = f"SELECT {'sequence,' if numbered else ''} operation, table_name, row::text, at FROM outbox ORDER BY sequence"
    queries = {t: f"SELECT * FROM {t} ORDER BY {key}" for t, key in KEYS.items()} | {"outbox": outbox}
    with psycopg.connect(place.dsn) as connection:
        return {table: [repr(row) for row in connection.execute(query)] for table, query in queries.items()}


def objects(place: Place) -> dict[str, str]:
    found = (o.uri for o in storage.list_objects(f"s3://{place.bucket}/"))
    return {uri.split("/", 3)[3]: hashlib.sha256(storage.get(uri) or b"").hexdigest() for uri in found}


def truths(place: Place) -> dict[str, str]:
    found = sorted(place.truth.rglob("*.parquet"))
    return {str(f.relative_to(place.truth)): hashlib.sha256(f.read_bytes()).hexdigest() for f in found}


def test_in_steps_or_at_once_the_world_is_the_same(place: MakePlace) -> None:
    whole, pieces = place(), place()
    world(whole).create("tiny", UNTIL, days=5)
    world(pieces).create("tiny", UNTIL - timedelta(hours=31), days=3)
    for hours in (30, 29, 12, 3, 3, 0, 0):
        world(pieces).advance(UNTIL - timedelta(hours=hours))
    world(pieces).create("tiny", UNTIL, days=5)
    assert rows(whole) == rows(pieces)
    assert objects(whole) == objects(pieces)
    assert truths(whole) == truths(pieces)


def changes(dsn: str) -> int:
    """Changes the shop has committed so far."""
    with psycopg.connect(dsn) as connection:
        if connection.execute("SELECT to_regclass('outbox')").fetchone() == (None,):
            return 0
        ((count,),) = connection.execute("SELECT count(*) FROM outbox").fetchall()
        return int(count)


def test_killed_at_any_moment_it_goes_on_and_ends_the_same(place: MakePlace, stack: Settings) -> None:
    clean, killed = place(), place()
    world(clean).create("tiny", UNTIL)
    command = [sys.executable, "-m", "infra.world", "create", "--size", "tiny", "--until", UNTIL.isoformat()]
    surroundings = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "LAKEHOUSE_SHOP_URL": killed.dsn,
        "LAKEHOUSE_LANDING": f"s3://{killed.bucket}",
    }
    kills = 0
    for wait in (0.0, 0.05, 0.1, 0.02, 0.2, 0.3):
        before = changes(killed.dsn)
        with subprocess.Popen(command, env=surroundings, cwd=REPOSITORY, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None and changes(killed.dsn) == before:
                time.sleep(0.01)
            time.sleep(wait)  # somewhere in the next piece of history
            kills += process.poll() is None
            process.send_signal(signal.SIGKILL)
    world(killed).create("tiny", UNTIL)
    assert kills >= 3
    assert rows(clean, numbered=False) == rows(killed, numbered=False)
    assert objects(clean) == objects(killed)


def test_totals_agree_with_lines_and_the_outbox_with_the_tables(place: MakePlace) -> None:
    here = place()
    world(here).create("tiny", UNTIL)
    with psycopg.connect(here.dsn) as connection:
        wrong = connection.execute(
            "SELECT o.order_id FROM orders o JOIN order_lines l USING (order_id) GROUP BY 1 HAVING max(o.total) <> sum(l.amount)"
        ).fetchall()
        assert not wrong
        for table, key in KEYS.items():
            newest = (
                f"SELECT DISTINCT ON (row ->> '{key}') * FROM outbox WHERE table_name = '{table}' ORDER BY row ->> '{key}', sequence DESC"
            )
            differing = connection.execute(
                f"SELECT coalesce(t.{key}, n.row ->> '{key}') FROM {table} t "
                f"FULL JOIN (SELECT * FROM ({newest}) newest WHERE operation = 'upsert') n ON n.row ->> '{key}' = t.{key} "
                "WHERE to_jsonb(t) IS DISTINCT FROM n.row"
            ).fetchall()
            assert not differing, table


def test_an_order_whose_lines_disagree_cannot_be_committed(place: MakePlace) -> None:
    here = place()
    world(here).create("tiny", UNTIL, days=2)
    with pytest.raises(psycopg.errors.CheckViolation, match="its lines sum up to"), psycopg.connect(here.dsn) as connection:
        connection.execute("UPDATE orders SET total = total + 1 WHERE order_id = 'O000000001'")


def test_another_world_in_the_same_place_is_refused(place: MakePlace) -> None:
    here = place()
    world(here).create("tiny", UNTIL, days=2)
    with pytest.raises(WorldError, match="holds world tiny of 200 customers with seed 7"):
        world(here).create("tiny", UNTIL, seed=8, days=2)
    with pytest.raises(WorldError, match="size 'huge' is unknown; valid: tiny, small, large"):
        world(here).create("huge", UNTIL)
