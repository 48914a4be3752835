"""The audit that a model passes before promotion: every protected attribute, every gap, the declared limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from numpy.typing import ArrayLike

from lakehouse.science.fairness.gaps import gaps
from lakehouse.science.propensity.unfit import UnfitData

LIMITS = {"demographic parity": 0.10, "equal opportunity": 0.10, "calibration": 0.05}


@dataclass(frozen=True)
class Audit:
    """A row per attribute and measure, and whether promotion is blocked."""

    table: pd.DataFrame

    @property
    def blocked(self) -> bool:
        """Some gap is beyond its limit."""
        return bool((self.table["verdict"] == "beyond").any())

    @property
    def text(self) -> str:
        """The report, a sentence per row, worst verdict first."""
        order = {"beyond": 0, "uncertain": 1, "within": 2}
        lines = []
        for row in sorted(self.table.to_dict("records"), key=lambda one: order[one["verdict"]]):
            lines.append(
                f"{row['verdict']}: {row['attribute']}, {row['measure']} gap {row['gap']:.3f} "
                f"({row['low']:.3f} to {row['high']:.3f}), limit {row['limit']:.2f}: "
                f"{row['high_group']} above {row['low_group']}"
            )
        return "\n".join(lines)


def audit(
    probability: ArrayLike,
    label: ArrayLike,
    attributes: pd.DataFrame,
    threshold: float,
    limits: Mapping[str, float] | None = None,
    level: float = 0.95,
) -> Audit:
    """All gaps of all protected attributes against declared limits.

    Verdict "beyond": the gap exceeds its limit and its interval excludes 0, so that it is no chance; promotion
    is blocked. "uncertain": the interval reaches over the limit; collect more rows. "within": all below it.

    Args:
        probability, label: later rows that the model was not fitted on.
        attributes: a column per protected attribute; used here only, never as a feature.
        threshold: of the decision the model serves.
        limits: measure to largest gap allowed; unless told parity .10, opportunity .10, calibration .05.
        level: of each interval; to be wrong about none of k gaps at 95 %, give 1 − .05 ÷ k (Bonferroni).

    Raises:
        UnfitData: an unknown measure among the limits, or groups too small (see `gaps`).
    """
    allowed = {**LIMITS, **(limits or {})}
    unknown = [name for name in allowed if name not in LIMITS]
    if unknown:
        raise UnfitData(f"limits: {unknown[0]!r} is no measure; valid: {', '.join(LIMITS)}")
    rows = []
    for attribute in attributes.columns:
        for gap in gaps(probability, label, attributes[attribute], threshold, level):
            limit = allowed[gap.measure]
            verdict = "within" if gap.high <= limit else "uncertain"
            if gap.gap > limit and gap.low > 0:
                verdict = "beyond"
            rows.append({"attribute": str(attribute), **vars(gap), "limit": limit, "verdict": verdict})
    return Audit(pd.DataFrame(rows))
