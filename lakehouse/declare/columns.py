"""A column of a contract: name, type, meaning, rules, sensitivity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from lakehouse.declare.rules import Rule
from lakehouse.errors import LakehouseError

Sensitivity = Literal["public", "internal", "pseudonym", "personal", "highly_sensitive"]
SCALARS = ("string", "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "date", "timestamp", "binary")


@dataclass(frozen=True, init=False)
class Column:
    """`Column("amount", "decimal(12,2)", "Order total.", at_least(0), sensitivity="internal")`.

    `type` is written as Spark's simple string. `required=True` stops the run on a null (key columns always are).
    `received_as` is the name in the source where that differs (bronze only).
    """

    name: str
    type: str
    description: str
    rules: tuple[Rule, ...]
    sensitivity: Sensitivity
    required: bool
    received_as: str

    def __init__(
        self,
        name: str,
        type: str,
        description: str,
        *rules: Rule,
        sensitivity: Sensitivity = "internal",
        required: bool = False,
        received_as: str = "",
    ) -> None:
        kind = type.replace(" ", "").lower()
        if not (kind in SCALARS or kind.startswith(("decimal(", "array<", "struct<", "map<"))):
            raise LakehouseError(
                f"column '{name}': type '{type}' is none. Valid: {', '.join(SCALARS)}, decimal(p,s), array<…>, struct<…>."
            )
        if sensitivity not in get_args(Sensitivity):
            raise LakehouseError(
                f"column '{name}': sensitivity '{sensitivity}' is none. Valid: {', '.join(get_args(Sensitivity))}."
            )
        for rule in rules:
            if not isinstance(rule, Rule):
                raise LakehouseError(
                    f"column '{name}': {rule!r} is no rule. Rules are made by at_least(…), one_of(…), not_null(…)…"
                )
        values = {
            "name": name, "type": kind, "description": description, "rules": tuple(r.on(name) for r in rules),
            "sensitivity": sensitivity, "required": required, "received_as": received_as or name,
        }  # fmt: skip
        for field, value in values.items():
            object.__setattr__(self, field, value)
