"""Where a bronze table's rows come from: objects in landing, their format, and who lands them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

Period = Literal["hour", "day", ""]


@dataclass(frozen=True)
class Lander:
    """A connector that fetches a source into landing; `name` is the source's, its address `<name>_url` in settings."""

    name: str


@dataclass(frozen=True)
class Outbox(Lander):
    """A Postgres source that writes each change to its `outbox` table."""


@dataclass(frozen=True)
class ChangeCapture(Lander):
    """A Postgres source whose log of changes is read (logical replication); `publication` names the tables."""

    publication: str = "lakehouse"


@dataclass(frozen=True)
class CursorQuery(Lander):
    """A Postgres source asked for rows whose `cursor` column moved, again for the last `overlap_minutes`."""

    cursor: str = "updated_at"
    overlap_minutes: int = 10


@dataclass(frozen=True)
class AdReports(Lander):
    """Daily reports of an ad platform's API ("google_ads", "meta_ads") for `accounts`, from the day `since` (ISO) on.

    A day's figures move for `moves_days`: it is read again until then on a falling schedule, and landed again where they changed.
    """

    api: str = ""
    accounts: tuple[str, ...] = ()
    since: str = ""
    moves_days: int = 28


@dataclass(frozen=True)
class Drift:
    """What happens where objects no longer fit the contract. Whatever is chosen is said in the run's report.

    missing: a declared column is not received. "quarantine": the object gives no row (formats whose objects name their columns once;
    in JSON, where absence may mean null, it is reported only); "stop": the run stops, nothing is published; "accept": null.
    respelled: a column comes in another spelling (`Amount` for `amount`). "accept" takes it for the declared one.
    retyped: a value does not fit the declared type. "quarantine" holds the line back, "stop" stops the run.
    """

    missing: Literal["quarantine", "stop", "accept"] = "quarantine"
    respelled: Literal["quarantine", "stop", "accept"] = "quarantine"
    retyped: Literal["quarantine", "stop"] = "quarantine"


@dataclass(frozen=True)
class Source:
    """Objects under `prefix` in landing, in one format; archives (.gz .bz2 .xz .zst .zip) are unpacked.

    `period` says that objects are named by the hour or day they cover, which makes the watermark;
    `lands` names the connector that fetches them (none: somebody else drops them);
    `drift` what happens where objects stop fitting the contract.
    """

    prefix: str
    period: Period = ""
    lands: Lander | None = None
    drift: Drift = field(default_factory=Drift)
    fields: ClassVar[tuple[str, ...]] = ()
    """What columns may be received as, where the format itself says that."""

    @property
    def name(self) -> str:
        """The source's name: the first part of its prefix."""
        return self.prefix.split("/")[0]


@dataclass(frozen=True)
class JsonLines(Source):
    """One JSON object a line."""

    encoding: str = "utf-8"


@dataclass(frozen=True)
class ChangeRows(Source):
    """JSON lines {"sequence", "operation", "at", "row"}: gives `_op`, `_sequence`, `_event_at` beside the row's columns."""


@dataclass(frozen=True)
class Json(Source):
    """One JSON document an object: a list of objects, or an object that holds the list at `records` (`"data.items"`)."""

    records: str = ""
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Csv(Source):
    """Delimited text. `delimiter` and `encoding` are names or "detect"; without a `header` the columns come in declared order."""

    delimiter: str = ","
    encoding: str = "utf-8"
    header: bool = True


@dataclass(frozen=True)
class Excel(Source):
    """Workbooks (.xlsx): the first sheet or the one named, columns named in row `header`."""

    sheet: str = ""
    header: int = 1


@dataclass(frozen=True)
class Parquet(Source):
    """Parquet files."""


@dataclass(frozen=True)
class AccessLog(Source):
    """Logs of a web server in the combined format, a request a line. `at` has the server's zone; what the log writes as `-` is null."""

    encoding: str = "utf-8"
    fields: ClassVar[tuple[str, ...]] = (
        "host", "identity", "user", "at", "request", "method", "path", "query", "protocol", "status", "bytes", "referrer", "user_agent",
    )  # fmt: skip


@dataclass(frozen=True)
class Files(Source):
    """Files that stay in landing as they are (images, documents, recordings): a row of facts for each.

    `object` is the name below landing, `sha256` the content's hash, `width` and `height` an image's pixels. `types` are those allowed,
    such as `("image/*",)`; unless given any.
    """

    types: tuple[str, ...] = ()
    fields: ClassVar[tuple[str, ...]] = ("object", "media_type", "bytes", "sha256", "width", "height")
