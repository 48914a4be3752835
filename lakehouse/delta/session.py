"""Spark Connect sessions: one for each run, tagged so that a later attempt can interrupt it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lakehouse.errors import LakehouseError
from lakehouse.settings import settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_NAMESPACE = uuid.UUID("6f1a9f0a-0a53-4a3e-9d5b-5b1f1d7c2a11")
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.databricks.delta.schema.autoMerge.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "20000",
    # Explained plans name the places that are read whole: a run is held against them.
    "spark.sql.maxMetadataStringLength": "4000",
    # Rows come sorted by key within a task: files of this size keep ranges of keys apart, so a change of recent rows rewrites few.
    "spark.sql.files.maxRecordsPerFile": "250000",
}

FEW_ROWS = 200_000
"""Up to here a statement costs more to compile to Java than to interpret (measured: a third less CPU on tiny tables, even at this)."""
FEW_BYTES = 2**20
"""The same for landed objects, as stored."""
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


class SparkUnreachable(LakehouseError):
    """The Spark Connect server does not answer: worth another try."""


def session_id(attempt: str) -> str:
    """The id of the session an attempt uses, so that another process can find it."""
    return str(uuid.uuid5(_NAMESPACE, attempt))


@contextmanager
def open_session(attempt: str | None = None) -> Iterator[SparkSession]:
    """A session of its own, ended with the block. Raises SparkUnreachable where no server answers."""
    from pyspark.sql.connect.session import SparkSession as ConnectSession

    active = ConnectSession._active_session  # pyspark keeps the first session of a thread active even when it has ended
    around = getattr(active, "session", None)
    spark = _connect(session_id(attempt) if attempt else str(uuid.uuid4()))
    active.session = spark
    try:
        yield spark
    finally:
        active.session = around
        _release(spark)


def _connect(identifier: str) -> SparkSession:
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.session import SparkSession as ConnectSession

    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"  # pyspark's own switch: functions build client-side plans
    address = settings().spark_url
    joint = "" if "/;" in address else "/"
    token = settings().spark_token.get_secret_value()
    signed = f";token={token}" if token else ""
    active, default = getattr(ConnectSession._active_session, "session", None), ConnectSession._default_session
    try:
        spark = ConnectSession.builder.remote(f"{address}{joint};session_id={identifier}{signed}").create()
        for name, value in SETTINGS.items():
            spark.conf.set(name, value)
    except PySparkException as error:
        ConnectSession._active_session.session, ConnectSession._default_session = active, default  # pyspark has set them already
        raise SparkUnreachable(_unreachable(address, error)) from error
    return spark  # type: ignore[return-value]


def interpret(spark: SparkSession) -> None:
    """Have this session's statements interpreted, not compiled: for a run over few rows."""
    for name, value in INTERPRETED.items():
        spark.conf.set(name, value)


def _unreachable(address: str, error: Exception) -> str:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return f"no Spark Connect server answers at {address} ({first}). Start the stack with `make up`, or set LAKEHOUSE_SPARK_URL."


def _release(spark: SparkSession) -> None:
    import grpc
    from pyspark.errors import PySparkException

    try:
        spark.client.release_session()  # type: ignore[attr-defined]
    except (PySparkException, grpc.RpcError):
        pass  # the server is gone, and the session with it
    finally:
        spark.client.close()  # type: ignore[attr-defined] # only a closed one is nobody's active session


def interrupt(attempt: str) -> None:
    """End whatever an earlier attempt still runs on the server; nothing happens where there is nothing."""
    import grpc
    from pyspark.errors import PySparkException

    try:
        spark = _connect(session_id(attempt))
    except SparkUnreachable:
        return
    try:
        spark.interruptAll()
    except (PySparkException, grpc.RpcError):
        pass
    finally:
        _release(spark)
