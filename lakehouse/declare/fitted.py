"""What a training job returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lakehouse.errors import LakehouseError


class NotEnoughData(LakehouseError):
    """Raised by a training job that cannot train yet: the run goes on without it, and tables of its predictions stay empty."""


@dataclass(frozen=True)
class Trial:
    """How a version does on time later than it was fitted on: what decides whether it is served.

    estimator: fitted only on what was known before the later time, unlike the one that is served.
    loss: from an estimator (this one, or the champion's of its own trial) to its loss on each later row; smaller is better.
    baseline: loss of a simple rule on the same rows. owners: whom each row belongs to.
    failed: checks not passed (calibration, fairness…), name → what was found and what is allowed.
    margin: share of the champion's loss by which a challenger must be better, with its whole interval.
    """

    estimator: Any
    loss: Callable[[Any], Sequence[float]]
    baseline: Sequence[float]
    owners: Sequence[str]
    failed: Mapping[str, str] = field(default_factory=dict)
    margin: float = 0.01


@dataclass(frozen=True)
class Fitted:
    """A fitted estimator (`probability(features) -> array`), the columns it takes in order, and how well it did.

    figures: files to keep beside it, name → text (a report page, a card).
    trial: what it is judged by; without one, every new version is served.
    """

    estimator: Any
    features: tuple[str, ...]
    metrics: Mapping[str, float]
    figures: Mapping[str, str] = field(default_factory=dict)
    trial: Trial | None = None
