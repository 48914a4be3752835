"""Objects in any S3 store, thin and typed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from lakehouse.errors import LakehouseError
from lakehouse.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCHEMES = ("s3", "s3a")


@dataclass(frozen=True)
class Object:
    """One object as a listing shows it."""

    uri: str
    size: int
    etag: str
    modified: datetime


@lru_cache(maxsize=1)
def client() -> "S3Client":
    """The client for the store in the settings, one per process (boto3 clients are thread-safe)."""
    import boto3
    from botocore.config import Config

    here = settings()
    return boto3.client(
        "s3",
        endpoint_url=here.s3_endpoint,
        aws_access_key_id=here.s3_access_key,
        aws_secret_access_key=here.s3_secret_key.get_secret_value(),
        region_name=here.s3_region,
        config=Config(
            s3={"addressing_style": "path"},
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "max_attempts": 4},
            max_pool_connections=32,
        ),
    )


def split(uri: str) -> tuple[str, str]:
    """The bucket and the key of an address such as ``s3a://lake/silver/orders``."""
    scheme, separator, path = uri.partition("://")
    bucket, _, key = path.partition("/")
    if not separator or scheme not in SCHEMES or not bucket:
        raise LakehouseError(
            f"'{uri}' is no address of an object; one looks like s3://bucket/key or s3a://bucket/key"
        )
    return bucket, key


def put(uri: str, body: bytes, *, only_if_absent: bool = False) -> bool:
    """Write an object; with ``only_if_absent`` an existing one is left alone and False returned."""
    from botocore.exceptions import ClientError

    bucket, key = split(uri)
    if not only_if_absent:
        client().put_object(Bucket=bucket, Key=key, Body=body)
        return True
    try:
        client().put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
    except ClientError as refused:
        if refused.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
            return False
        raise
    return True


def get(uri: str) -> bytes | None:
    """An object's bytes, or None if there is no such object."""
    from botocore.exceptions import ClientError

    bucket, key = split(uri)
    try:
        return client().get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as refused:
        if refused.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise


def exists(uri: str) -> bool:
    """Whether there is an object at this very address."""
    from botocore.exceptions import ClientError

    bucket, key = split(uri)
    try:
        client().head_object(Bucket=bucket, Key=key)
    except ClientError as refused:
        if refused.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return False
        raise
    return True


def list_objects(prefix: str, *, after: str | None = None) -> Iterator[Object]:
    """Objects whose address begins with ``prefix``, in order; with ``after``, only those behind it."""
    bucket, key = split(prefix)
    scheme = prefix.partition("://")[0]
    pages = client().get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=bucket, Prefix=key, StartAfter=split(after)[1] if after else ""):
        for found in page.get("Contents", []):
            yield Object(
                f"{scheme}://{bucket}/{found['Key']}",
                found["Size"],
                found["ETag"].strip('"'),
                found["LastModified"],
            )


def delete(uri: str) -> None:
    """Remove an object; one that is not there is no error."""
    bucket, key = split(uri)
    client().delete_object(Bucket=bucket, Key=key)


def delete_prefix(prefix: str) -> int:
    """Remove every object whose address begins with ``prefix`` and say how many there were."""
    bucket, key = split(prefix)
    if not key:
        raise LakehouseError(f"'{prefix}' is a whole bucket; name the folder in it whose objects shall go")
    found = [split(each.uri)[1] for each in list_objects(prefix)]
    for start in range(0, len(found), 1000):
        batch = found[start : start + 1000]
        client().delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": each} for each in batch], "Quiet": True}
        )
    return len(found)
