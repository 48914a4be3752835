"""The graph: which table reads which, in what order they come, and who lands their sources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter

from lakehouse.declare.sources import Lander
from lakehouse.declare.tables import Table
from lakehouse.errors import LakehouseError
from lakehouse.graph.suggest import did_you_mean

LAYERS = ("bronze", "silver", "gold", "features", "models", "predictions")
PUBLISHED_LAYERS = ("gold", "features", "predictions")


class UnknownTable(LakehouseError):
    """A name that no file of `jobs/` declares."""


@dataclass(frozen=True)
class Graph:
    """All tables and models of one package, matched by parameter name. Iterates in order of names."""

    tables: dict[str, Table]

    def __getitem__(self, name: str) -> Table:
        try:
            return self.tables[name]
        except KeyError:
            raise UnknownTable(f"'{name}' is no table.{did_you_mean(name, self.tables)}") from None

    def upstream(self, name: str) -> tuple[str, ...]:
        """What must be there before `name`: its inputs, then the tables its rules look values up in."""
        table = self[name]
        read = (i.name for i in table.inputs if i.mode not in ("landed", "live"))
        return tuple(dict.fromkeys((*read, *(r for r in table.references if r != name))))

    def downstream(self, name: str) -> tuple[str, ...]:
        """Tables that read `name` or look values up in it."""
        return tuple(other for other in self.tables if name in self.upstream(other))

    @cached_property
    def _order(self) -> tuple[str, ...]:
        sorter = TopologicalSorter({name: self.upstream(name) for name in sorted(self.tables)})
        return tuple(sorter.static_order())

    def order(self, names: Iterable[str] | None = None) -> tuple[str, ...]:
        """Names (all unless given) so that each comes after what it reads."""
        wanted = set(self.tables if names is None else names)
        return tuple(name for name in self._order if name in wanted)

    def with_upstream(self, name: str) -> tuple[str, ...]:
        """`name` and everything it rests on, in order."""
        wanted, open_names = set(), [name]
        while open_names:
            current = open_names.pop()
            if current not in wanted:
                wanted.add(current)
                open_names.extend(self.upstream(current))
        return self.order(wanted)

    def refreshed(self, refresh: str) -> tuple[str, ...]:
        """The tables of one rhythm, in order."""
        return self.order(n for n, t in self.tables.items() if t.refresh == refresh)

    def published(self) -> tuple[str, ...]:
        """Tables that the warehouse shows."""
        return self.order(n for n, t in self.tables.items() if t.kind == "table" and t.layer in PUBLISHED_LAYERS)

    def landers(self) -> dict[str, Lander]:
        """Connectors that fetch a source into landing, by source name."""
        found = (t.source.lands for t in self.tables.values() if t.source and t.source.lands)
        return {lander.name: lander for lander in found}

    def sources(self) -> dict[str, tuple[str, ...]]:
        """Bronze tables by the source they take from."""
        names = sorted({t.source.name for t in self.tables.values() if t.source})
        return {n: tuple(t.name for t in self.tables.values() if t.source and t.source.name == n) for n in names}
