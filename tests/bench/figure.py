"""A goal beside its figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One claim: what was measured, the goal (at most), the figure, and how it came about. `goal` None: printed only."""

    what: str
    goal: float | None
    value: float
    unit: str
    how: str = ""

    @property
    def verdict(self) -> str:
        """Whether the goal is met; a missed one is a finding, not an error."""
        if self.goal is None:
            return ""
        return "met" if self.value <= self.goal else "MISSED"
