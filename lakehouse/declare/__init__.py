"""The grammar of `jobs/`: one function per table; parameters are its inputs, annotations say how each is read."""

from lakehouse.declare.columns import Column
from lakehouse.declare.fitted import Fitted, NotEnoughData, Trial
from lakehouse.declare.history import history
from lakehouse.declare.inputs import SQL, AsOf, Changes, Frozen, Landed, Live, Model, Predecessor, Snapshot, Touched
from lakehouse.declare.live import LiveQuery
from lakehouse.declare.rules import (
    at_least,
    at_most,
    between,
    fresh_within,
    holds,
    matches,
    not_in_future,
    not_null,
    one_of,
    references,
    rows_at_least,
)
from lakehouse.declare.sources import (
    AccessLog,
    AdReports,
    ChangeCapture,
    ChangeRows,
    Csv,
    CursorQuery,
    Drift,
    Excel,
    Files,
    Json,
    JsonLines,
    Outbox,
    Parquet,
)
from lakehouse.declare.tables import Table, model, table

__all__ = [
    "SQL", "AccessLog", "AdReports", "AsOf", "ChangeCapture", "ChangeRows", "Changes", "Column", "Csv", "CursorQuery", "Drift", "Excel",
    "Files", "Fitted", "Frozen", "Json", "JsonLines", "Landed", "Live", "LiveQuery", "Model", "NotEnoughData", "Outbox", "Parquet",
    "Predecessor", "Snapshot", "Table", "Touched", "Trial", "at_least", "at_most", "between", "fresh_within", "history", "holds", "matches",
    "model", "not_in_future", "not_null", "one_of", "references", "rows_at_least", "table",
]  # fmt: skip
