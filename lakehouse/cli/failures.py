"""What went wrong beside our own errors, in one or two lines for a person."""

from __future__ import annotations

PLACES = {
    "EndpointConnectionError": "the object store does not answer",
    "ConnectTimeoutError": "the object store does not answer",
    "NoSuchBucket": "the object store has no such bucket",
    "OperationalError": "Postgres does not answer",
    "SparkConnectGrpcException": "Spark refuses or does not answer",
}


def told(error: BaseException) -> str:
    """The error's kind and first line, where it may come from, and how to see all of it."""
    lines = str(error).strip().splitlines() or [""]
    kind = type(error).__name__
    where = PLACES.get(kind, kind)
    return f"{where}: {lines[0][:500]}\n  `make status` says what is up; LAKEHOUSE_DEBUG=1 shows the whole error."
