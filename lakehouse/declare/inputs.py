"""How a table reads another: the annotation of a parameter, and what the engine makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

Mode = Literal["snapshot", "changes", "touched", "frozen", "landed", "live", "model"]


@dataclass(frozen=True)
class Reading:
    """An annotation: the mode of reading, and for `Touched` the group columns."""

    mode: Mode
    groups: tuple[str, ...] = ()


class _Touched:
    """`Touched["order_date"]`, `Touched["order_date", "channel_id"]`."""

    def __getitem__(self, groups: str | tuple[str, ...]) -> Reading:
        return Reading("touched", (groups,) if isinstance(groups, str) else tuple(groups))


class SQL(str):
    """What a table's function returns when a SELECT says it all; its parameters are the tables it names."""


class AsOf:
    """Annotation of the parameter `as_of`: the day (datetime.date) a table is computed for; never a clock."""


class _Predecessor:
    """`predecessor: Predecessor` of a model's function: the estimator that is served while it trains, None where there is none.

    Which version that was is pinned in MLflow, so that the training can be repeated.
    """


@dataclass(frozen=True)
class Input:
    """One parameter of a table's function: the table or model read, and how."""

    name: str
    mode: Mode
    groups: tuple[str, ...] = ()


if TYPE_CHECKING:  # for editors and type checkers an input is a data frame
    from typing import Any

    from pyspark.sql import DataFrame

    Snapshot = Changes = Frozen = Landed = Live = DataFrame
    Model = Touched = Predecessor = Any
else:
    Snapshot = Reading("snapshot")
    Changes = Reading("changes")
    Frozen = Reading("frozen")
    Landed = Reading("landed")
    Live = Reading("live")
    Model = Reading("model")
    Touched = _Touched()
    Predecessor = _Predecessor
