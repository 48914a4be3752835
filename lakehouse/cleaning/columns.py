"""A step as a column of a data frame."""

from __future__ import annotations

import typing
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import Column

TYPES: dict[Any, str] = {
    str: "string", bool: "boolean", int: "bigint", float: "double", Decimal: "decimal(38,9)", date: "date", datetime: "timestamp",
}  # fmt: skip


def column(step: Callable[..., Any], value: Column | str, *more: Any) -> Column:
    """The step applied to a column; what is given after it is a column where it is one, else the same for all rows.

    A step that gives several things (a NamedTuple) makes a struct: `column(email, "mail")["address"]`.
    """
    from pyspark.sql import Column as AnyColumn
    from pyspark.sql import functions as F

    columns = [each if isinstance(each, AnyColumn) else F.lit(each) for each in more]
    first = F.col(value) if isinstance(value, str) else value
    return F.udf(step, spark_type(typing.get_type_hints(step)["return"]), useArrow=False)(first, *columns)


def spark_type(hint: Any) -> str:
    """Spark's type for what a step gives: `Email | None` is a struct of its fields."""
    kinds = [k for k in typing.get_args(hint) if k is not type(None)] or [hint]
    kind = kinds[0]
    if kind in TYPES:
        return TYPES[kind]
    fields = typing.get_type_hints(kind)
    return "struct<" + ", ".join(f"{name}: {spark_type(inner)}" for name, inner in fields.items()) + ">"
