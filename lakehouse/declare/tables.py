"""The two decorators: a function becomes a table or a model; nothing is registered anywhere."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from lakehouse.declare.columns import Column
from lakehouse.declare.inputs import SQL, AsOf, Input, Predecessor, Reading
from lakehouse.declare.live import LiveQuery
from lakehouse.declare.rules import Rule
from lakehouse.declare.sources import Source
from lakehouse.errors import LakehouseError

Refresh = Literal["hourly", "nightly", "weekly"]
REFRESHES = ("hourly", "nightly", "weekly")


class DeclarationError(LakehouseError):
    """A declaration that cannot stand; ends with the file and line to repair."""


@dataclass(frozen=True)
class Table:
    """A table (or, with `kind == "model"`, a training job) as its one file declares it; calling it calls the function."""

    name: str
    function: Callable[..., Any] = field(repr=False, compare=False)
    kind: Literal["table", "model"]
    owner: str
    refresh: Refresh
    description: str
    file: str
    line: int
    inputs: tuple[Input, ...] = ()
    as_of: bool = False
    continues: bool = False
    """Models: the function is given the estimator served before it (`Predecessor`)."""
    returns_sql: bool = False
    key: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    checks: tuple[Rule, ...] = ()
    latest_by: str = ""
    deleted_when: str = ""
    source: Source | None = None
    live: LiveQuery | None = None
    minimum_score: float = 0.0
    partitioned_by: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    costly: bool = False
    when_erased: Literal["delete", "empty"] = "delete"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    watched_by: str = ""
    """Models: the table that evaluates the version served; a verdict "beyond" in it rolls that version back."""
    assumes: tuple[str, ...] = ()
    """Models: what must hold for its figures to mean what they say, a sentence each; on the card."""
    limits: tuple[str, ...] = ()
    """Models: what it does not tell, or must not be used for; on the card."""
    layer: str = ""
    """Given by the folder the file is in, when the graph is loaded."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The plain function, for tests."""
        return self.function(*args, **kwargs)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules: those of the columns, then those of the table."""
        return (*(r for c in self.columns for r in c.rules), *self.checks)

    @property
    def references(self) -> tuple[str, ...]:
        """Tables that rules look values up in: they come first, as inputs do."""
        return tuple(dict.fromkeys(r.table for r in self.rules if r.kind == "reference"))

    @property
    def where(self) -> str:
        """`jobs/silver/orders.py:21`."""
        return f"{self.file}:{self.line}"

    def in_layer(self, layer: str) -> Table:
        """The same declaration, told its layer."""
        return replace(self, layer=layer)


def _words(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _facts(function: Callable[..., Any], refresh: str, owner: str) -> dict[str, Any]:
    """What a function says of itself: name, place, description, inputs."""
    code = function.__code__
    where = f"{code.co_filename}:{code.co_firstlineno}"

    def refuse(problem: str) -> DeclarationError:
        return DeclarationError(f"{function.__name__}: {problem}\n  {where}")

    if refresh not in REFRESHES:
        raise refuse(f"refresh='{refresh}' is none. Valid: {', '.join(REFRESHES)}.")
    if not owner:
        raise refuse("owner is empty. Say who answers for it: owner=\"commerce\".")
    if not (function.__doc__ or "").strip():
        raise refuse("it has no docstring. The docstring is the table's description: write one sentence.")
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError as unknown:
        raise refuse(f"an annotation names {unknown}. Import it from lakehouse.declare.") from None
    inputs, as_of, continues = [], False, False
    for parameter in signature.parameters.values():
        reading = parameter.annotation
        if reading is AsOf or (parameter.name == "as_of" and reading is date):
            as_of = True
        elif reading is Predecessor and parameter.name == "predecessor":
            continues = True
        elif parameter.name == "parameters":
            continue
        elif isinstance(reading, Reading):
            inputs.append(Input(parameter.name, reading.mode, reading.groups))
        else:
            given = "no annotation" if reading is parameter.empty else f"annotation {reading!r}"
            raise refuse(
                f"parameter '{parameter.name}' has {given}. "
                'Valid: Snapshot, Changes, Touched["column"], Frozen, Landed, Live, Model; as_of: AsOf; predecessor: Predecessor.'
            )
    return {
        "name": function.__name__, "function": function, "owner": owner, "refresh": refresh,
        "description": inspect.cleandoc(function.__doc__ or ""), "file": code.co_filename, "line": code.co_firstlineno,
        "inputs": tuple(inputs), "as_of": as_of, "continues": continues, "returns_sql": signature.return_annotation is SQL,
    }  # fmt: skip


def table(
    *,
    owner: str,
    columns: Sequence[Column],
    key: str | Sequence[str] = (),
    refresh: Refresh = "hourly",
    checks: Sequence[Rule] = (),
    latest_by: str = "",
    deleted_when: str = "",
    source: Source | None = None,
    live: LiveQuery | None = None,
    minimum_score: float = 0.0,
    partitioned_by: str | Sequence[str] = (),
    tags: str | Sequence[str] = (),
    costly: bool = False,
    when_erased: Literal["delete", "empty"] = "delete",
) -> Callable[[Callable[..., Any]], Table]:
    """Declare a table. Its name, inputs and description are the function's; its layer is the folder's.

    key: columns that identify a row, never null (every table above bronze has one).
    latest_by: of several rows of one key, the one with the highest value stays (bronze change rows: "_sequence").
    deleted_when: SQL over the function's output that marks a row as the source's deletion.
    live: bronze only, instead of `source`: the rows stay in a database and are asked for when a table reads them.
    minimum_score: share of the table's rows (0–1) that must pass every level 2 rule, or the run stops.
    when_erased: bronze only: a row that tells of a person who is erased goes, or stays with all pseudonym and personal columns empty.
    costly: a change of code waits for `lakehouse run --full` instead of rebuilding at the next run.
    """

    def declare(function: Callable[..., Any]) -> Table:
        return Table(
            kind="table", key=_words(key), columns=tuple(columns), checks=tuple(checks), latest_by=latest_by,
            deleted_when=deleted_when, source=source, live=live, minimum_score=minimum_score, partitioned_by=_words(partitioned_by),
            tags=_words(tags), costly=costly, when_erased=when_erased, **_facts(function, refresh, owner),
        )  # fmt: skip

    return declare


def model(
    *,
    owner: str,
    refresh: Refresh = "weekly",
    parameters: Mapping[str, Any] | None = None,
    tags: str | Sequence[str] = (),
    watched_by: str = "",
    assumes: str | Sequence[str] = (),
    limits: str | Sequence[str] = (),
) -> Callable[[Callable[..., Any]], Table]:
    """Declare a training job. Its inputs are pinned, its result, parameters and metrics are kept in MLflow.

    watched_by: a table with the columns as_of_date, model_version, figure, value and verdict; where its newest day says "beyond"
    of the version served, the version before is served again.
    assumes, limits: sentences for the model card: what must hold for its figures, and what it does not tell.
    """

    def declare(function: Callable[..., Any]) -> Table:
        facts = _facts(function, refresh, owner)
        return Table(
            kind="model", parameters=dict(parameters or {}), tags=_words(tags), watched_by=watched_by, assumes=_words(assumes),
            limits=_words(limits), **facts,
        )  # fmt: skip

    return declare
