"""Rules: what must hold for a row (a predicate), for a pair of tables (a reference) or for a whole table.

Level 1 stops the run before anything is published; level 2 flags the row, or diverts it to quarantine.
A null passes every rule but `not_null`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Action = Literal["stop", "flag", "quarantine"]


@dataclass(frozen=True)
class Rule:
    """One rule of a contract.

    `kind` is "row" (`predicate` is SQL, `{column}` and `{now}` filled in by the engine), "reference"
    (values of `column` exist in `table`.`other`), "fresh" (newest `column` at most `hours` old) or
    "rows" (at least `least` rows in the table).
    """

    kind: Literal["row", "reference", "fresh", "rows"]
    name: str
    action: Action = "flag"
    column: str = ""
    predicate: str = ""
    table: str = ""
    other: str = ""
    hours: float = 0.0
    least: int = 0

    @property
    def level(self) -> int:
        """1 where the rule stops the run, else 2."""
        return 1 if self.action == "stop" else 2

    @property
    def id(self) -> str:
        """Unique within a table: `amount: at_least(0)`."""
        return f"{self.column}: {self.name}" if self.column else self.name

    @property
    def reads_the_clock(self) -> bool:
        """A rule whose verdict changes with time may flag a row, never move it."""
        return "{now}" in self.predicate or self.kind == "fresh"

    def on(self, column: str) -> Rule:
        """The rule bound to a column."""
        return replace(self, column=column)


def _literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(value)


def at_least(least: float | str, action: Action = "flag") -> Rule:
    """The value is not below `least`."""
    return Rule("row", f"at_least({least})", action, predicate=f"{{column}} >= {_literal(least)}")


def at_most(most: float | str, action: Action = "flag") -> Rule:
    """The value is not above `most`."""
    return Rule("row", f"at_most({most})", action, predicate=f"{{column}} <= {_literal(most)}")


def between(least: float, most: float, action: Action = "flag") -> Rule:
    """The value lies within both limits, inclusive."""
    return Rule("row", f"between({least}, {most})", action, predicate=f"{{column}} BETWEEN {least} AND {most}")


def one_of(*values: str | int, action: Action = "flag") -> Rule:
    """The value is one of those listed."""
    listed = ", ".join(_literal(v) for v in values)
    return Rule("row", f"one_of({listed})", action, predicate=f"{{column}} IN ({listed})")


def matches(pattern: str, action: Action = "flag") -> Rule:
    """The text matches the regular expression (Java's syntax) somewhere."""
    return Rule("row", f"matches({pattern})", action, predicate=f"{{column}} RLIKE {_literal(pattern)}")


def not_null(action: Action = "flag") -> Rule:
    """The value is there."""
    return Rule("row", "not_null", action, predicate="{column} IS NOT NULL")


def not_in_future(action: Action = "flag") -> Rule:
    """The time is not after the run's own."""
    return Rule("row", "not_in_future", action, predicate="{column} <= {now}")


def holds(predicate: str, name: str, action: Action = "flag") -> Rule:
    """A predicate over several columns of the row, for `checks=`."""
    return Rule("row", name, action, predicate=predicate)


def references(table: str, column: str, other: str = "", action: Action = "flag") -> Rule:
    """Each value of `column` exists as `other` (the same name unless given) in `table`."""
    other = other or column
    return Rule("reference", f"references({table}.{other})", action, column, table=table, other=other)


def fresh_within(hours: float, column: str = "") -> Rule:
    """The newest `column` (the first timestamp column unless given) is at most `hours` before the run; flags the table."""
    return Rule("fresh", f"fresh_within({hours} h)", "flag", column, hours=hours)


def rows_at_least(least: int, action: Action = "stop") -> Rule:
    """The table holds at least this many rows after the run."""
    return Rule("rows", f"rows_at_least({least})", action, least=least)
