"""Batches of change rows in landing: objects first, a manifest last, so that a batch is there whole or not at all.

Objects are `<source>/<table>/<batch>.jsonl.gz`, the manifest is `<source>/_batches/<batch>.json` and is written only if absent.
What a crash left without manifest does not count, and the next attempt writes over it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO

from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SAFE_NAME = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Place:
    """Where a source's objects are put: a bucket, and what its keys begin with."""

    s3: S3Client
    bucket: str
    root: str = ""

    @classmethod
    def here(cls) -> Place:
        """Landing, as the settings name it."""
        from lakehouse import storage
        from lakehouse.settings import settings

        bucket, root = storage.split(f"{settings().landing}/")
        return cls(storage.client(), bucket, root)

    def put_if_absent(self, name: str, body: bytes) -> bool:
        """Write an object unless there is one of this name; says whether it did."""
        from botocore.exceptions import ClientError

        try:
            self.s3.put_object(Bucket=self.bucket, Key=self.root + name, Body=body, IfNoneMatch="*")
        except ClientError as refused:
            if refused.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise
            return False
        return True

    def put(self, name: str, body: bytes) -> None:
        """Write an object."""
        self.s3.put_object(Bucket=self.bucket, Key=self.root + name, Body=body)

    def names(self, prefix: str) -> list[str]:
        """The objects whose name begins so, in order."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.root + prefix)
        return [each["Key"].removeprefix(self.root) for page in pages for each in page.get("Contents", [])]

    def folders(self, prefix: str) -> list[str]:
        """The folders directly below a prefix that ends in '/'."""
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=self.root + prefix, Delimiter="/")
        return [each["Prefix"].rstrip("/").rsplit("/", 1)[1] for each in found.get("CommonPrefixes", [])]

    def get(self, name: str) -> bytes:
        """An object's bytes."""
        return self.s3.get_object(Bucket=self.bucket, Key=self.root + name)["Body"].read()


class BatchTaken(LakehouseError):
    """Another reader wrote this batch's manifest meanwhile."""


@dataclass(frozen=True)
class LandReport:
    """What one read landed; with nothing new it names the batch before."""

    batch: str
    rows: dict[str, int]
    watermark: datetime | None
    seconds: float
    warnings: tuple[str, ...] = field(default=())


class Spool:
    """New change rows, one packed file a table in a temporary folder; few of them are ever in memory. A context manager."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.counts: dict[str, int] = {}
        self.size = 0
        self._files: dict[str, tuple[gzip.GzipFile, BinaryIO]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Spool:
        self.folder = Path(self._stack.enter_context(TemporaryDirectory()))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, table: str, line: str) -> None:
        """Add one line to a table's file."""
        if table not in self._files:
            if not SAFE_NAME.fullmatch(table):
                raise LakehouseError(f"{self.source}: a changed table is called '{table}'; valid are letters, digits and _")
            raw = self._stack.enter_context((self.folder / table).open("wb"))
            self._files[table] = (self._stack.enter_context(gzip.GzipFile("", "wb", 6, raw, mtime=0)), raw)
        body = line.encode() + b"\n"
        self._files[table][0].write(body)
        self.size += len(body)
        self.counts[table] = self.counts.get(table, 0) + 1

    def lines(self, table: str) -> Iterator[bytes]:
        """What was written of a table so far."""
        if table not in self._files:
            return
        packed_file, raw = self._files[table]
        packed_file.flush(zlib.Z_SYNC_FLUSH)
        raw.flush()
        unpack, rest = zlib.decompressobj(wbits=31), b""
        with (self.folder / table).open("rb") as packed:
            while piece := packed.read(1 << 16):
                *whole, rest = (rest + unpack.decompress(piece)).split(b"\n")
                yield from whole

    def upload(self, place: Place, batch: str) -> dict[str, dict[str, Any]]:
        """Write the objects of a batch; gives what its manifest says of each table.

        Objects that a killed attempt at this batch left of other tables are removed: the manifest would make them count.
        """
        for table in place.folders(f"{self.source}/"):
            if table not in self._files and table != "_batches":
                place.s3.delete_object(Bucket=place.bucket, Key=f"{place.root}{self.source}/{table}/{batch}.jsonl.gz")
        objects = {}
        for table, (packed, raw) in self._files.items():
            packed.close()
            raw.close()
            file, key = self.folder / table, f"{place.root}{self.source}/{table}/{batch}.jsonl.gz"
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            place.s3.upload_file(str(file), place.bucket, key)
            objects[table] = {"key": key, "rows": self.counts[table], "bytes": file.stat().st_size, "sha256": digest}
        return objects


def newest(source: str, place: Place) -> dict[str, Any] | None:
    """The newest manifest of a source, or nothing where it has none."""
    names = place.names(f"{source}/_batches/")
    if not names:
        return None
    found: dict[str, Any] = json.loads(place.get(max(names)))
    return found


def following(last: str | None) -> str:
    """The name of the batch after `last`."""
    return f"{int(last) + 1 if last else 1:010d}"


def commit(place: Place, source: str, batch: str, manifest: Mapping[str, Any]) -> None:
    """Make a batch count. Raises BatchTaken where another reader was first."""
    name = f"{source}/_batches/{batch}.json"
    if not place.put_if_absent(name, json.dumps(manifest, indent=1).encode()):
        raise BatchTaken(
            f"{source}: s3://{place.bucket}/{place.root}{name} was written by another reader meanwhile. Run it again: what that one did "
            "not take is still at the source"
        )


def watermark(source: str, place: Place | None = None) -> datetime | None:
    """Up to which moment a source has landed, by its newest manifest; nothing if it has none."""
    found = newest(source, place or Place.here())
    return datetime.fromisoformat(found["watermark"]) if found and found["watermark"] else None
