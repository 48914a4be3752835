"""What a training job returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fitted:
    """A fitted estimator (`probability(features) -> array`), the columns it takes in order, and how well it did.

    figures: files to keep beside it, name → text (a report page, a card).
    """

    estimator: Any
    features: tuple[str, ...]
    metrics: Mapping[str, float]
    figures: Mapping[str, str] = field(default_factory=dict)
