"""Which failures another try can mend, and how a failure is told."""

from __future__ import annotations

import sys
from collections.abc import Iterator

PASSING = (
    ("lakehouse.delta.session", "SparkUnreachable"),
    ("lakehouse.warehouse.publish", "AnotherPublishes"),
    ("grpc", "RpcError"),
    ("botocore.exceptions", "HTTPClientError"),
    ("botocore.exceptions", "ConnectionError"),
    ("psycopg", "OperationalError"),
    ("psycopg2", "OperationalError"),
    ("requests", "ConnectionError"),
    ("requests", "Timeout"),
    ("urllib3.exceptions", "HTTPError"),
)
"""Failures of a network or of a server that may come back; looked up only in modules that the task has loaded."""

SERVER = "pyspark.errors.exceptions.connect"


def may_pass(failure: BaseException) -> bool:
    """Whether trying again can succeed: a network or server was lost. Broken data and broken code stay broken."""
    return any(isinstance(each, _passing()) or _lost_server(each) for each in _chain(failure))


def told(failure: BaseException) -> str:
    """One line that names a failure: the first line of what it says, else its kind."""
    said = str(failure).strip().splitlines()
    return said[0] if said else type(failure).__name__


def _chain(failure: BaseException) -> Iterator[BaseException]:
    each: BaseException | None = failure
    while each is not None:
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)


def _passing() -> tuple[type[BaseException], ...]:
    found = [getattr(sys.modules[module], name) for module, name in PASSING if module in sys.modules]
    return (ConnectionError, TimeoutError, *found)


def _lost_server(failure: BaseException) -> bool:
    """Spark Connect's own base error: what it knows (analysis, parsing, arithmetic) is a subclass; the rest is the server."""
    connect = sys.modules.get(SERVER)
    return connect is not None and type(failure) in (connect.SparkConnectGrpcException, connect.SparkConnectException)
