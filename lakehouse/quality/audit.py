"""The verdict on staged rows: level 1 stops the run, level 2 is scored."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakehouse.declare.rules import Rule
from lakehouse.declare.tables import Table
from lakehouse.errors import LakehouseError
from lakehouse.quality.tag import FAILED, reference_rules, row_rules
from lakehouse.run.difference import COPIES
from lakehouse.run.stage import Staged

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Stopped(LakehouseError):
    """A level 1 rule failed: nothing was published, the old version stays."""

    def __init__(self, message: str, verdicts: list[Verdict]) -> None:
        super().__init__(message)
        self.verdicts = verdicts


@dataclass(frozen=True)
class Verdict:
    """One rule's outcome for a run."""

    rule: str
    level: int
    action: str
    failed: int

    def as_dict(self) -> dict[str, Any]:
        """For reports."""
        return asdict(self)


def audit(spark: SparkSession, table: Table, staged: Staged, rows: int, flagged: int, now: datetime) -> list[Verdict]:
    """Judge staged rows; `rows` and `flagged` are the table's counts after this run. Raises Stopped."""
    rules = [*row_rules(table), *reference_rules(table)]
    verdicts = [Verdict(r.id, r.level, r.action, staged.failed.get(r.id, 0)) for r in rules]
    if table.key:
        verdicts.insert(0, Verdict(f"{', '.join(table.key)}: one row per key", 1, "stop", staged.repeated + staged.count("collision")))
    verdicts += [_whole_table(spark, table, r, staged, rows, now) for r in table.rules if r.kind in ("fresh", "rows")]
    broken = [v for v in verdicts if v.level == 1 and v.failed]
    if broken:
        lines = [f"  {v.rule}: {v.failed} rows fail{_samples(spark, table, staged, v)}" for v in broken]
        raise Stopped(
            f"{table.name}: stopped by level 1, nothing was published and the old version stays.\n" + "\n".join(lines)
            + f"\n  Repair the source or the function, then run again.\n  {table.where}", verdicts,
        )  # fmt: skip
    if table.minimum_score and rows and (rows - flagged) / rows < table.minimum_score:
        raise Stopped(
            f"{table.name}: the score would fall to {(rows - flagged) / rows:.2%}, below the minimum of "
            f"{table.minimum_score:.0%}; nothing was published.\n"
            + "\n".join(f"  {v.rule}: {v.failed} rows fail" for v in verdicts if v.failed) + f"\n  {table.where}", verdicts,
        )  # fmt: skip
    return verdicts


def _whole_table(spark: SparkSession, table: Table, rule: Rule, staged: Staged, rows: int, now: datetime) -> Verdict:
    if rule.kind == "rows":
        return Verdict(rule.id, rule.level, rule.action, int(rows < rule.least))
    from pyspark.sql import functions as F

    column = rule.column or next((c.name for c in table.columns if c.type == "timestamp"), "")
    if not column or not staged.count("upsert"):
        return Verdict(rule.id, rule.level, rule.action, 0)
    newest = staged.read(spark, "upsert").agg(F.max(F.unix_seconds(F.col(column)))).collect()[0][0]
    old = newest is None or now.timestamp() - float(newest) > rule.hours * 3600
    return Verdict(rule.id, rule.level, rule.action, int(old))


def _samples(spark: SparkSession, table: Table, staged: Staged, verdict: Verdict) -> str:
    """Up to five keys that fail, for the message."""
    from pyspark.sql import functions as F

    if not table.key:
        return ""
    rows = staged.read(spark, "upsert", "collision", "quarantine")
    repeated = verdict.rule.endswith("one row per key")
    which = (F.col(COPIES) > 1) | (F.col("_change") == "collision") if repeated else F.array_contains(FAILED, verdict.rule)
    keys = rows.where(which).select(*table.key).distinct().limit(5).collect()
    shown = "; ".join(", ".join(f"{k}={row[k]!r}" for k in table.key) for row in keys)
    return f", for example {shown}" if shown else ""
