"""Closing a gap by thresholds per group, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lakehouse.science.fairness.gaps import group_codes
from lakehouse.science.propensity.unfit import Vector, binary, numbers, one_of


@dataclass(frozen=True)
class Mitigation:
    """Thresholds by group, who is chosen under them, and the expected successes of equally many contacts."""

    thresholds: dict[str, float]
    chosen: NDArray[np.bool_]
    successes_before: float
    successes_after: float

    @property
    def cost(self) -> float:
        """Share of the expected successes given up."""
        return 1 - self.successes_after / self.successes_before


def mitigate(
    probability: ArrayLike,
    label: ArrayLike,
    group: Sequence[Any] | pd.Series[Any],
    contacts: int,
    aim: Literal["demographic parity", "equal opportunity"] = "equal opportunity",
) -> Mitigation:
    """Choose about `contacts` people by falling probability within each group so that the aim holds.

    Demographic parity: the same share of each group. Equal opportunity: the same share of each group's y = 1
    (Hardt, Price & Srebro 2016), the share found by bisection on the number of contacts. The law and the purpose
    decide whether thresholds by group may be used at all; the cost is shown for that decision.

    Args:
        probability, label, group: validation rows; the label is used for equal opportunity and to count successes.
        contacts: how many may be chosen; the result differs by at most a few per group.
        aim: which gap to close.

    Raises:
        UnfitData: unknown aim, groups too small.
    """
    one_of(aim, ("demographic parity", "equal opportunity"), "aim")
    y = binary(label, "label")
    p = numbers(probability, "probability", len(y))
    names, code = group_codes(group, len(y))
    counted = np.ones(len(y)) if aim == "demographic parity" else y
    low, high = 0.0, 1.0
    for _ in range(40):
        share = (low + high) / 2
        if _choose(p, counted, code, len(names), share)[0].sum() > contacts:
            high = share
        else:
            low = share
    chosen, cuts = _choose(p, counted, code, len(names), low)
    top = np.argsort(-p, kind="stable")[: int(chosen.sum())]
    thresholds = {name: float(cut) for name, cut in zip(names, cuts, strict=True)}
    return Mitigation(thresholds, chosen, float(y[top].sum()), float(y[chosen].sum()))


def _choose(p: Vector, counted: Vector, code: Any, groups: int, share: float) -> tuple[NDArray[np.bool_], list[float]]:
    chosen, cuts = np.zeros(len(p), dtype=bool), []
    for one in range(groups):
        rows = np.flatnonzero(code == one)
        rows = rows[np.argsort(-p[rows], kind="stable")]
        running = np.cumsum(counted[rows])
        many = int(np.searchsorted(running, share * running[-1], side="right")) if running[-1] > 0 else 0
        cut = float(p[rows[many - 1]]) if many else float("inf")
        chosen[rows[p[rows] >= cut]] = True
        cuts.append(cut)
    return chosen, cuts
