"""What every reader hands on: values of a row as received, or a line that cannot be read and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lakehouse.errors import LakehouseError

RAW_LIMIT = 4_000
SHAPES_KEPT = 1_000
UNKNOWN_KEPT = 100


class ObjectRefused(LakehouseError):
    """An object of which nothing may be taken; the text is the reason."""


@dataclass(frozen=True)
class Unreadable:
    """A line that cannot be read; line 0 stands for the whole object."""

    line: int
    raw: str
    reason: str


Row = tuple[int, Sequence[object]]
Items = Iterator[Row | Unreadable]


@dataclass
class Names:
    """The names received beside those declared: spelled otherwise is an error, unknown is reported."""

    declared: tuple[str, ...]
    unknown: list[str] = field(default_factory=list)
    _verdicts: dict[tuple[str, ...], str] = field(default_factory=dict)

    def refusal(self, received: tuple[str, ...]) -> str:
        """Why these names cannot stand, or nothing; the same names are looked at once."""
        verdict = self._verdicts.get(received)
        if verdict is None:
            if len(self._verdicts) >= SHAPES_KEPT:  # keys made from data would grow this without end
                self._verdicts.clear()
            verdict = self._verdicts[received] = self._judge(received)
        return verdict

    def _judge(self, received: tuple[str, ...]) -> str:
        spelled = {name.casefold(): name for name in self.declared}
        for name in received:
            if name in self.declared:
                continue
            if name.casefold() in spelled:
                return f"'{name}' is spelled otherwise than the declared '{spelled[name.casefold()]}'"
            if name not in self.unknown and len(self.unknown) < UNKNOWN_KEPT:
                self.unknown.append(name)
        return ""
