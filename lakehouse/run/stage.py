"""Write the difference once, as Parquet nobody reads yet, and count it in the same pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from lakehouse.declare.tables import Table
from lakehouse.quality.tag import FAILED, reference_rules, row_rules
from lakehouse.run.difference import CHANGE, COPIES
from lakehouse.run.frames import RANGED, stored, with_statistics

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Staged:
    """What lies staged: its address, rows by kind of change, rows failing each rule, and the effect on the table."""

    uri: str
    changes: dict[str, int]
    failed: dict[str, int] = field(default_factory=dict)
    judged: int = 0
    repeated: int = 0
    live: int = 0
    flagged: int = 0
    inserts: int = 0
    """Upserts of keys the table does not hold; where these are all, an append is enough."""
    batch_flagged: int = 0
    whole_live: int = 0
    """Live and flagged rows of the table after a full build, counted from the rows themselves."""
    whole_flagged: int = 0
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Smallest and largest value of key columns among what is written, as SQL literals."""

    def count(self, change: str) -> int:
        """Rows of one kind of change."""
        return self.changes.get(change, 0)

    @property
    def only_adds(self) -> bool:
        """Whether nothing the table holds is changed or deleted."""
        return self.count("delete") == 0 and self.inserts == self.count("upsert")

    def read(self, spark: SparkSession, *changes: str) -> DataFrame:
        """Staged rows of some kinds of change."""
        from pyspark.sql import functions as F

        return spark.read.parquet(self.uri).where(F.col(CHANGE).isin(*changes))


def stage(table: Table, rows: DataFrame, uri: str) -> Staged:
    """Write `rows` (the staged shape) without those that stay the same, and count all of them."""
    from pyspark.sql import Observation
    from pyspark.sql import functions as F

    kinds = ("upsert", "delete", "quarantine", "collision")
    rules = [*row_rules(table), *reference_rules(table)]
    judged = F.col(CHANGE).isin("upsert", "same", "quarantine")
    counts = [F.sum(F.when(F.col(CHANGE) == k, 1).otherwise(0)).alias(f"change_{k}") for k in kinds]
    counts += [F.sum(F.when(judged & F.array_contains(FAILED, r.id), 1).otherwise(0)).alias(f"rule_{n}") for n, r in enumerate(rules)]
    moving = F.col(CHANGE).isin("upsert", "delete", "same")
    counts += [
        F.sum(F.when(judged, 1).otherwise(0)).alias("judged"),
        F.sum(F.when(judged & (F.size(FAILED) > 0), 1).otherwise(0)).alias("batch_flagged"),
        F.sum(F.when((F.col(CHANGE) == "upsert") & (F.col(COPIES) > 1), 1).otherwise(0)).alias("repeated"),
        F.sum(F.when(moving, F.col("_new_live") - F.col("_old_live")).otherwise(0)).alias("live"),
        F.sum(F.when(moving, F.col("_new_flagged") - F.col("_old_flagged")).otherwise(0)).alias("flagged"),
        F.sum(F.when(moving, F.col("_new_live")).otherwise(0)).alias("whole_live"),
        F.sum(F.when(moving, F.col("_new_flagged")).otherwise(0)).alias("whole_flagged"),
        F.sum(F.when((F.col(CHANGE) == "upsert") & (F.col("_is_new") == 1), 1).otherwise(0)).alias("inserts"),
    ]
    ranged = [k for k in table.key if k in with_statistics(table) and stored(table)[k] in RANGED]
    written = F.col(CHANGE).isin("upsert", "delete")
    counts += [end(F.when(written, F.col(k))).alias(f"{n}_{k}") for k in ranged for n, end in (("low", F.min), ("high", F.max))]
    seen = Observation("staged")
    rows.observe(seen, *counts).where(F.col(CHANGE) != "same").write.mode("overwrite").parquet(uri)
    told = seen.get
    got = {name: int(value or 0) for name, value in told.items() if not name.startswith(("low_", "high_"))}
    ends = {k: (_literal(told[f"low_{k}"]), _literal(told[f"high_{k}"])) for k in ranged if told.get(f"low_{k}") is not None}
    return Staged(
        uri,
        {k: got.get(f"change_{k}", 0) for k in kinds},
        {r.id: got.get(f"rule_{n}", 0) for n, r in enumerate(rules)},
        got.get("judged", 0), got.get("repeated", 0), got.get("live", 0), got.get("flagged", 0), got.get("inserts", 0),
        got.get("batch_flagged", 0), got.get("whole_live", 0), got.get("whole_flagged", 0), ends,
    )  # fmt: skip


def _literal(value: Any) -> str:
    """A value in SQL."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date):
        return f"DATE'{value}'"
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
