"""Moving the world forward: create it, advance it, go on after a kill, live in real time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from infra.world import faults, newsletter, reports, shop, truth, web
from infra.world.company import HOUR, SIZES, Company
from infra.world.day import Day, simulate
from infra.world.market.objects import objects as market_objects
from infra.world.population import begin
from infra.world.state import State
from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LOCK = 7_010_207
Progress = Callable[[str], None]


class WorldError(LakehouseError):
    """The world cannot do what it was asked."""


@dataclass(frozen=True)
class Standing:
    """Where the world stands."""

    company: Company
    advanced_to: datetime
    day: int


@dataclass(frozen=True)
class Place:
    """Where the world lives: the shop's database, the landing bucket and the folder of the truth."""

    dsn: str
    s3: "S3Client"
    bucket: str
    truth: Path


def floor_hour(moment: datetime) -> datetime:
    """Give the beginning of the hour."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


class World:
    """One world in one place. Every hour is one step: objects first, then rows and the clock in one transaction.

    A kill in between leaves objects whose repetition is byte for byte the same, and a clock that has not moved.
    """

    def __init__(self, place: Place, progress: Progress = print) -> None:
        self.place = place
        self.progress = progress
        self._simulated: tuple[Company, State, Day, list[bytes]] | None = None

    def create(self, size: str, until: datetime, seed: int = 7, days: int | None = None, customers: int | None = None) -> Standing:
        """Create the company with its history up to a moment; one that was begun goes on where it stopped."""
        if size not in SIZES:
            raise WorldError(f"size '{size}' is unknown; valid: {', '.join(SIZES)}")
        until = floor_hour(until)
        known = SIZES[size]
        start = (until - timedelta(days=days or known.days)).date()
        wanted = Company(seed, size, customers or known.customers, start)
        with self._connected() as connection:
            with connection.transaction():
                connection.execute(shop.SCHEMA.read_text(encoding="utf-8"))
            standing = self._standing(connection)
            if standing is None:
                standing = self._found(connection, wanted)
            other = standing.company
            if (other.seed, other.size, other.customers) != (seed, size, wanted.customers):
                raise WorldError(
                    f"asked for world {size} of {wanted.customers:,} customers with seed {seed}, but the shop holds "
                    f"world {other.size} of {other.customers:,} customers with seed {other.seed}. Go on with that one, "
                    "or forget it first (make reset)"
                )
        return self.advance(until)

    def advance(self, to: datetime) -> Standing:
        """Advance to the beginning of the hour of a moment; the past stays as it is."""
        target = floor_hour(to)
        with self._connected() as connection:
            standing = self._standing(connection)
            if standing is None:
                raise WorldError("there is no world yet; make one: python -m infra.world create --size small")
            with connection.transaction():
                connection.execute(shop.SCHEMA.read_text(encoding="utf-8"))  # a world of an older version gets what is new
            first = standing.advanced_to
            while standing.advanced_to < target:
                standing = self._step(connection, standing, target)
                done = (standing.advanced_to - first) / (target - first)
                self.progress(f"world: {standing.advanced_to:%Y-%m-%d %H:%M} UTC ({done:4.0%})")
            if first < target:
                state = self._state(connection)
                truth.write_customers(self.place.truth, standing.company, state)
                truth.write_people(self.place.truth, standing.company, state)
            return standing

    def standing(self) -> Standing | None:
        """Tell where the world stands, or nothing if there is none."""
        with psycopg.connect(self.place.dsn) as connection:
            return self._standing(connection)

    def counts(self) -> dict[str, int]:
        """Count the shop's rows by table."""
        with psycopg.connect(self.place.dsn) as connection:
            return {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in (*shop.KEYS, "outbox")}

    @contextmanager
    def _connected(self) -> Iterator[shop.Connection]:
        with psycopg.connect(self.place.dsn, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            yield connection

    def _found(self, connection: shop.Connection, company: Company) -> Standing:
        self.progress(f"world: founding {company.size} with {company.customers:,} customers, seed {company.seed}")
        state = begin(company)
        with connection.transaction():
            shop.write(connection, shop.founding(company, state))
            connection.execute(
                "INSERT INTO world.company (seed, size, customers, start, advanced_to, day, state) VALUES (%s, %s, %s, %s, %s, 0, %s)",
                [company.seed, company.size, company.customers, company.start, company.begins, state.pack()],
            )
        return Standing(company, company.begins, 0)

    def _standing(self, connection: shop.Connection) -> Standing | None:
        if connection.execute("SELECT to_regclass('world.company')").fetchone()[0] is None:
            return None
        row = connection.execute("SELECT seed, size, customers, start, advanced_to, day FROM world.company").fetchone()
        return Standing(Company(*row[:4]), row[4].astimezone(UTC), row[5]) if row else None

    def _state(self, connection: shop.Connection) -> State:
        return State.unpack(connection.execute("SELECT state FROM world.company").fetchone()[0])

    def _today(self, connection: shop.Connection, standing: Standing) -> tuple[Company, State, Day, list[bytes]]:
        known = self._simulated
        if known is None or known[0] != standing.company or known[1].day != standing.day:
            before = known[2].after if known and known[2].after.day == standing.day else self._state(connection)
            day = simulate(standing.company, before)
            known = (standing.company, before, day, web.receive(standing.company, before, day))
            self._simulated = known
        return known

    def _step(self, connection: shop.Connection, standing: Standing, target: datetime) -> Standing:
        company, before, day, events = self._today(connection, standing)
        midnight = datetime.fromtimestamp(company.second(day.day), UTC)
        first = int((standing.advanced_to - midnight).total_seconds()) // HOUR
        last = min(24, int((target - midnight).total_seconds()) // HOUR)
        self._land_all((f"web/events/{midnight + timedelta(hours=h):%Y-%m-%dT%H}.jsonl.gz", events[h]) for h in range(first, last))
        if last == 24:
            self._land_all(reports.objects(company, day))
            self._land_all(market_objects(company, before, day))
            self._land_all(newsletter.assignments(company, day))
            truth.write_day(self.place.truth, company, before, day)
        moved = midnight + timedelta(hours=last)
        with connection.transaction(), connection.pipeline():
            for hour in range(first, last):
                shop.write(connection, shop.steps(company, day, hour))
            connection.execute("UPDATE world.company SET advanced_to = %s", [moved])
            if last == 24:
                connection.execute("UPDATE world.company SET day = %s, state = %s", [day.day + 1, day.after.pack()])
        return Standing(company, moved, day.day + (last == 24))

    def _land_all(self, objects: Iterable[tuple[str, bytes]]) -> None:
        """Land objects as they are made, a few at a time: a day of any size takes the memory of those few."""
        switched_on = faults.active(self.place.truth)
        with ThreadPoolExecutor(6) as pool:
            waiting: deque[Future[None]] = deque()
            for each in objects:
                for key, body in faults.spoiled(switched_on, *each):
                    if len(waiting) == 12:
                        waiting.popleft().result()
                    waiting.append(pool.submit(self._land, key, body))
            for one in waiting:
                one.result()

    def _land(self, key: str, body: bytes) -> None:
        from botocore.exceptions import ClientError

        place = self.place
        try:
            place.s3.put_object(Bucket=place.bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as refused:
            if refused.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise
            there: Any = place.s3.get_object(Bucket=place.bucket, Key=key)["Body"].read()
            if there != body and not (self.place.truth / faults.SWITCHES).exists():  # a fault switched between two tries: the first stays
                raise WorldError(
                    f"s3://{place.bucket}/{key} is there already with other content: it comes from another world. "
                    "Objects in landing never change; forget that world first (make reset)"
                ) from refused


def next_hour(now: datetime) -> float:
    """Give the seconds until the next full hour."""
    return HOUR - now.timestamp() % HOUR


def parse_moment(text: str) -> datetime:
    """Read NOW, a date or an ISO 8601 moment (UTC where it says no zone)."""
    if text.upper() == "NOW":
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WorldError(f"'{text}' is no moment; valid: NOW, 2026-11-21, 2026-11-21T13:00") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
