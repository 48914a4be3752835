"""Tag each row with the rules it fails, in the same pass that writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakehouse.declare.rules import Rule, not_null
from lakehouse.declare.tables import Table

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame

FAILED = "_failed"


def row_rules(table: Table) -> list[Rule]:
    """Rules judged row by row; required columns and keys are among them, at level 1."""
    required = [not_null("stop").on(c.name) for c in table.columns if c.required and c.name not in table.key]
    keys = [not_null("stop").on(k) for k in table.key]
    return [*keys, *required, *(r for r in table.rules if r.kind == "row" and r.id not in {k.id for k in keys})]


def reference_rules(table: Table) -> list[Rule]:
    """Rules that look a value up in another table."""
    return [r for r in table.rules if r.kind == "reference"]


def ids(table: Table, *actions: str) -> list[str]:
    """Ids of the row and reference rules with one of the actions."""
    return [r.id for r in (*row_rules(table), *reference_rules(table)) if r.action in actions]


def _holds(rule: Rule, now: str) -> SparkColumn:
    from pyspark.sql import functions as F

    text = rule.predicate.replace("{column}", f"`{rule.column}`").replace("{now}", f"TIMESTAMP'{now}'")
    return F.coalesce(F.expr(text), F.lit(rule.name != "not_null"))


def tag(table: Table, frame: DataFrame, now: str, looked_up: Mapping[str, DataFrame], unless: str = "") -> DataFrame:
    """The frame with `_failed` (array of rule ids). `looked_up` holds the referenced tables; rows where `unless` are exempt."""
    from pyspark.sql import functions as F

    verdicts = [F.when(~_holds(r, now), F.lit(r.id)) for r in row_rules(table)]
    for place, rule in enumerate(reference_rules(table)):
        value, hit = f"_value_{place}", f"_hit_{place}"
        known = looked_up[rule.table].select(F.col(rule.other).alias(value)).where(f"{value} IS NOT NULL").distinct()
        frame = frame.join(known.withColumn(hit, F.lit(True)), F.col(rule.column) == F.col(value), "left").drop(value)
        verdicts.append(F.when(F.col(rule.column).isNotNull() & F.col(hit).isNull(), F.lit(rule.id)))
    none = F.array().cast("array<string>")
    failed = F.array_compact(F.array(*verdicts)) if verdicts else none
    if unless:
        failed = F.when(F.expr(unless), none).otherwise(failed)
    tagged = frame.withColumn(FAILED, failed)
    return tagged.drop(*[f"_hit_{n}" for n in range(len(reference_rules(table)))])
