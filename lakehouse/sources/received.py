"""What every reader hands on: values of a row as received, or a line that cannot be read and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lakehouse.declare.sources import Drift
from lakehouse.errors import LakehouseError

RAW_LIMIT = 4_000
SHAPES_KEPT = 1_000
UNKNOWN_KEPT = 500
LACKS, RESPELLED, RETYPED = "the header lacks ", " is spelled otherwise than the declared ", "' is no "


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


def drift_in(reason: str) -> str:
    """The kind of drift a reason tells of: "missing", "respelled", "retyped", or ""."""
    kinds = (("missing", LACKS), ("respelled", RESPELLED), ("retyped", RETYPED))
    return next((kind for kind, words in kinds if words in reason), "")


@dataclass
class Names:
    """The names received beside those declared: unknown ones are reported, those spelled otherwise refused or taken, as `drift` says."""

    declared: tuple[str, ...]
    unknown: list[str] = field(default_factory=list)
    drift: Drift = field(default_factory=Drift)
    respelled: dict[str, str] = field(default_factory=dict)
    """Accepted spellings: declared name → name received."""
    _seen: set[str] = field(default_factory=set)
    _verdicts: dict[tuple[str, ...], str] = field(default_factory=dict)

    def refusal(self, received: tuple[str, ...]) -> str:
        """Why these names cannot stand, or nothing; the same names are looked at once."""
        verdict = self._verdicts.get(received)
        if verdict is None:
            if len(self._verdicts) >= SHAPES_KEPT:  # keys made from data would grow this without end
                self._verdicts.clear()
            verdict = self._verdicts[received] = self._judge(received)
        return verdict

    @property
    def missing(self) -> list[str]:
        """Declared names that were not met, once anything was."""
        return [n for n in self.declared if n not in self._seen and n not in self.respelled] if self._seen else []

    def values(self, found: dict[str, object]) -> list[object]:
        """The declared values of one object, whichever accepted spelling they come in."""
        if not self.respelled:
            return [*map(found.get, self.declared)]
        return [found[n] if n in found else found.get(self.respelled.get(n, n)) for n in self.declared]

    def _judge(self, received: tuple[str, ...]) -> str:
        spelled = {name.casefold(): name for name in self.declared}
        for name in received:
            if name in self.declared:
                continue
            declared = spelled.get(name.casefold())
            if declared is not None:
                if self.drift.respelled != "accept" or declared in received:
                    return f"'{name}'{RESPELLED}'{declared}'"
                self.respelled[declared] = name
            elif name not in self.unknown and len(self.unknown) < UNKNOWN_KEPT:
                self.unknown.append(name)
        self._seen.update(received)
        return ""
