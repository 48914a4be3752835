"""Read a table of the lake at one pinned version, in batches, without Spark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from lakehouse.errors import LakehouseError
from lakehouse.settings import settings
from lakehouse.storage import split
from lakehouse.warehouse.shape import SCALARS, Shape

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds
    from deltalake import DeltaTable

UNDERSTOOD = {"timestampNtz"}
"""Features a reader must know of, and we do. Deletion vectors are not among them: deleted rows would come back."""

ROWS_AT_ONCE = 65_536
TOMBSTONE = "_deleted"


class Version(Protocol):
    """One Delta version: the table's own id and the number of the commit."""

    @property
    def id(self) -> str:
        """The id Delta gave the table when it was made."""

    @property
    def version(self) -> int:
        """The number of the commit."""


class Unreadable(LakehouseError):
    """The pinned version of a table cannot be read as its declaration says."""


class PinnedTable:
    """The rows of one table as of one Delta version; hidden columns and tombstones left out."""

    def __init__(self, shape: Shape, version: Version) -> None:
        """Open the version and compare its columns with the declaration; nothing is read yet."""
        self.shape = shape
        self.uri = f"{settings().lake}/{shape.layer}/{shape.table}"
        self.name = f"{shape.table} version {version.version}"
        self._delta = self._open(version)
        self._dataset = self._readable()
        self._refuse_other_columns()

    def batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows, in the declaration's order of columns, at most one row group in memory at a time."""
        import pyarrow.dataset as ds

        living = None
        if TOMBSTONE in self._dataset.schema.names:
            living = ds.field(TOMBSTONE).is_null() | ~ds.field(TOMBSTONE)
        wanted = columns or [c.name for c in self.shape.columns]
        try:
            yield from self._dataset.scanner(
                columns=wanted, filter=living, batch_size=ROWS_AT_ONCE, batch_readahead=2, fragment_readahead=1
            ).to_batches()
        except OSError as gone:
            raise Unreadable(
                f"{self.name}: a data file cannot be read: {gone}\n  If VACUUM removed it, this version can no longer be "
                "published: publish a newer cut."
            ) from gone

    @property
    def schema(self) -> pa.Schema:
        """Arrow's types of the declared columns."""
        import pyarrow as pa

        return pa.schema([self._dataset.schema.field(c.name) for c in self.shape.columns])

    def _open(self, version: Version) -> DeltaTable:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError, TableNotFoundError

        try:
            delta = DeltaTable(self.uri, version=version.version, storage_options=storage_options())
        except TableNotFoundError:
            raise Unreadable(f"{self.name}: there is no such Delta table at {self.uri}. Run it first.") from None
        except DeltaError as missing:
            raise Unreadable(
                f"{self.name}: {self.uri} cannot be opened at this version: {missing}\n  Its log may have been cleaned up: "
                "publish a newer cut."
            ) from None
        found = str(delta.metadata().id)
        if version.id and found != version.id:
            raise Unreadable(
                f"{self.name}: the table at {self.uri} has Delta id {found}, asked for was {version.id}. It was made anew "
                "since that cut: publish a newer one."
            )
        return delta

    def _readable(self) -> ds.Dataset:
        import pyarrow.dataset as ds
        from deltalake.exceptions import DeltaProtocolError
        from pyarrow.fs import S3FileSystem, SubTreeFileSystem

        features = set(self._delta.protocol().reader_features or ())
        mapped = self._delta.metadata().configuration.get("delta.columnMapping.mode", "none") != "none"
        unknown = sorted(features - UNDERSTOOD | ({"columnMapping"} if mapped else set()))
        if unknown:
            raise Unreadable(
                f"{self.name}: the table uses {', '.join(unknown)}, which the publication does not understand and would "
                f"misread. Understood: {', '.join(sorted(UNDERSTOOD))}. Switch the feature off for {self.uri}."
            )
        here, (bucket, path) = settings(), split(self.uri)
        store = S3FileSystem(
            access_key=here.s3_access_key,
            secret_key=here.s3_secret_key.get_secret_value(),
            endpoint_override=here.s3_endpoint,
            region=here.s3_region,
        )
        # Spark writes times as INT96, whose nanoseconds end in 2262: a valid_to of 9999-12-31 would wrap around.
        reading = ds.ParquetReadOptions(coerce_int96_timestamp_unit="us")
        try:
            return self._delta.to_pyarrow_dataset(
                filesystem=SubTreeFileSystem(f"{bucket}/{path}", store), parquet_read_options=reading
            )
        except DeltaProtocolError as refused:
            raise Unreadable(f"{self.name}: {refused}") from None

    def _refuse_other_columns(self) -> None:
        there = {field.name: field.type for field in self._dataset.schema}
        wrong = []
        for column in self.shape.columns:
            if column.name not in there:
                wrong.append(f"column '{column.name}' is declared but not in the table")
            elif arrow_to_postgres(there[column.name]) != column.type:
                wrong.append(
                    f"column '{column.name}' is declared so that Postgres holds {column.type}, the table holds "
                    f"{there[column.name]}"
                )
        if wrong:
            raise Unreadable(
                f"{self.name}: " + "; ".join(wrong) + f". Valid columns: {', '.join(there)}.\n  The declaration is newer than "
                f"this version: run {self.shape.table}, then publish."
            )


def storage_options() -> dict[str, str]:
    """What `deltalake` wants to know of the object store."""
    here = settings()
    return {
        "AWS_ENDPOINT_URL": here.s3_endpoint,
        "AWS_ACCESS_KEY_ID": here.s3_access_key,
        "AWS_SECRET_ACCESS_KEY": here.s3_secret_key.get_secret_value(),
        "AWS_REGION": here.s3_region,
        "AWS_ALLOW_HTTP": str(here.s3_endpoint.startswith("http://")).lower(),
    }


def arrow_to_postgres(kind: Any) -> str:
    """The Postgres type that holds an Arrow type, in the words of `shape.postgres_type`."""
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision},{kind.scale})"
    if pa.types.is_list(kind) and not pa.types.is_nested(kind.value_type):
        return f"{arrow_to_postgres(kind.value_type)}[]"
    if pa.types.is_timestamp(kind):
        return SCALARS["timestamp"] if kind.tz else "timestamp without time zone"
    spark = {
        pa.string(): "string", pa.bool_(): "boolean", pa.int8(): "tinyint", pa.int16(): "smallint", pa.int32(): "int",
        pa.int64(): "bigint", pa.float32(): "float", pa.float64(): "double", pa.date32(): "date", pa.binary(): "binary",
    }.get(kind)  # fmt: skip
    return SCALARS[spark] if spark else "jsonb"
