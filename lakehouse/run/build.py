"""Call a table's function on frames of its inputs, and hold what it returns against its declaration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from lakehouse.declare.tables import Table
from lakehouse.errors import LakehouseError
from lakehouse.graph.check import sql_of
from lakehouse.run import plan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class ContractBroken(LakehouseError):
    """The function's output does not have the columns its declaration promises."""


class Builder:
    """Calls one table's function as often as a run needs, checking the plan each time."""

    def __init__(self, spark: SparkSession, table: Table, as_of: date | None, models: Mapping[str, Any]) -> None:
        self.spark, self.table, self.as_of, self.models = spark, table, as_of, models
        self.warnings: list[str] = []
        self.calls = 0

    def __call__(self, frames: Mapping[str, DataFrame]) -> DataFrame:
        """The function's output, checked: declared columns in declared order, then those that order changes and mark deletions."""
        if None in self.models.values():  # no version of the model may be used
            return self.spark.createDataFrame([], ", ".join(f"`{n}` {t or 'string'}" for n, t in needed(self.table).items()))
        out = self._from_sql(frames) if self.table.returns_sql else self._from_python(frames)
        return conforming(self.table, out)

    def _from_python(self, frames: Mapping[str, DataFrame]) -> DataFrame:
        given: dict[str, Any] = dict(frames) | dict(self.models)
        if self.table.as_of:
            given["as_of"] = self.as_of
        out = self.table.function(**given)
        if not hasattr(out, "sparkSession"):
            raise ContractBroken(
                f"{self.table.name}: the function returned {type(out).__name__}. Return a data frame, or SQL and annotate it `-> SQL`."
                f"\n  {self.table.where}"
            )
        self.warnings = plan.check(self.table, out, dict(frames))
        return out  # type: ignore[no-any-return]

    def _from_sql(self, frames: Mapping[str, DataFrame]) -> DataFrame:
        """The SELECT over views of its own: Connect looks views up late, so a name must never mean two frames."""
        self.calls += 1
        named = []
        for name, frame in frames.items():
            frame.createOrReplaceTempView(f"{name}__{self.calls}")
            named.append(f"`{name}` AS (SELECT * FROM `{name}__{self.calls}`)")
        head = f"WITH {', '.join(named)} " if named else ""
        # written in: with Delta's parser Spark 4.2 leaves named parameters unbound
        text = re.sub(r"(?<![:\w]):as_of\b", f"DATE'{self.as_of}'", str(sql_of(self.table)))
        return self.spark.sql(f"{head}SELECT * FROM (\n{text}\n)")


def needed(table: Table) -> dict[str, str]:
    """Columns the output must have: name → type; those beside the declared ones keep any type ("")."""
    extra = {table.latest_by: ""} if table.latest_by else {}
    if table.deleted_when:
        from sqlglot import exp

        from lakehouse.graph.reads import parsed

        extra |= {c.name: "" for c in parsed(f"SELECT {table.deleted_when}").find_all(exp.Column)}
    declared = {c.name: c.type for c in table.columns}
    return {**declared, **{n: t for n, t in extra.items() if n not in declared}}


def conforming(table: Table, out: DataFrame) -> DataFrame:
    """The output with exactly the columns needed, in order; raises ContractBroken naming each difference."""
    from pyspark.sql import functions as F

    types = {f.name: f.dataType.simpleString() for f in out.schema.fields}
    wanted = needed(table)
    wrong = [f"column '{n}' is missing" for n in wanted if n not in types]
    wrong += [f"column '{n}' is {types[n]}, declared {t}: cast it with try_cast" for n, t in wanted.items() if t and types.get(n, t) != t]
    lineage = {n for n in types if n.startswith("_")}
    wrong += [f"column '{n}' is not declared: declare or drop it" for n in types if n not in wanted and n not in lineage]
    if wrong:
        raise ContractBroken(f"{table.name}: the output breaks its contract: {'; '.join(wrong)}.\n  {table.where}")
    return out.select(*[F.col(f"`{n}`") for n in wanted])
