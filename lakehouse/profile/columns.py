"""Each column's figures, gathered batch by batch in bounded memory."""

from __future__ import annotations

import hashlib
import heapq
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lakehouse.profile.personal import likely_personal
from lakehouse.sources.kinds import integer_type, kind_of, widened

EXACT = 50_000
"""Distinct values counted exactly up to here; beyond, estimated from the smallest hashes (K minimum values, Bar-Yossef et al. 2002)."""
SKETCH = 2_048
SAMPLE = 4_000
BARS = 12


@dataclass
class ColumnProfile:
    """One column."""

    name: str
    rows: int = 0
    nulls: int = 0
    kind: str = "null"
    least: str | None = None
    most: str | None = None
    longest: int = 0
    digits: int = 0
    scale: int = 0
    values: Counter[str] = field(default_factory=Counter)
    overflown: bool = False
    hashes: list[int] = field(default_factory=list)
    """The smallest hashes of values, negated: a heap."""
    sample: list[str] = field(default_factory=list)
    draw: random.Random = field(default_factory=lambda: random.Random(0))

    def add(self, texts: Any) -> None:
        """One batch of values as text."""
        import pyarrow.compute as pc

        self.rows += len(texts)
        known = texts.drop_null()
        self.nulls += len(texts) - len(known)
        if not len(known):
            return
        self.kind = widened(self.kind, kind_of(known))
        counted = pc.value_counts(known).to_pylist()
        for each in counted:
            value = each["values"]
            if not self.overflown or value in self.values:
                self.values[value] += each["counts"]
            self._measure(value)
        if not self.overflown and len(self.values) > EXACT:
            self.overflown = True
            for value in self.values:
                self._sketch(value)
            self.values = Counter(dict(self.values.most_common(SAMPLE)))
        elif self.overflown:
            for each in counted:
                self._sketch(each["values"])
        self._draw(known.to_pylist())

    def _measure(self, value: str) -> None:
        self.longest = max(self.longest, len(value))
        if self.kind in ("integer", "decimal"):
            whole, _, fraction = value.lstrip("-").partition(".")
            self.digits, self.scale = max(self.digits, len(whole)), max(self.scale, len(fraction))
        key = _ordered(value)
        if self.least is None or key < _ordered(self.least):
            self.least = value
        if self.most is None or key > _ordered(self.most):
            self.most = value

    def _sketch(self, value: str) -> None:
        number = -int.from_bytes(hashlib.blake2b(value.encode(), digest_size=8).digest(), "big")
        if number in self.hashes[-4:]:
            return
        if len(self.hashes) < SKETCH:
            if number not in self.hashes:
                heapq.heappush(self.hashes, number)
        elif number > self.hashes[0] and number not in self.hashes:
            heapq.heapreplace(self.hashes, number)

    def _draw(self, values: Sequence[str]) -> None:
        """Reservoir sampling (Vitter 1985)."""
        seen = self.rows - self.nulls - len(values)
        for place, value in enumerate(values, seen):
            if len(self.sample) < SAMPLE:
                self.sample.append(value)
            elif (at := self.draw.randrange(place + 1)) < SAMPLE:
                self.sample[at] = value

    @property
    def known(self) -> int:
        """Values that are there."""
        return self.rows - self.nulls

    @property
    def distinct(self) -> int:
        """How many different values; an estimate (±2 %) where `overflown`."""
        if not self.overflown:
            return len(self.values)
        return round((len(self.hashes) - 1) / (-self.hashes[0] / 2**64))

    @property
    def type(self) -> str:
        """The type to declare: the kind's, with room to grow."""
        if self.kind == "integer":
            return "int" if integer_type(int(self.least or 0), int(self.most or 0)) != "bigint" else "bigint"
        if self.kind == "decimal":
            return f"decimal({max(12, min(38, self.digits + self.scale + 2))},{self.scale})" if self.scale <= 6 else "double"
        return {"number": "double", "null": "string"}.get(self.kind, self.kind)

    @property
    def likely_key(self) -> bool:
        """Whether each row has its own value."""
        exact = not self.overflown and len(self.values) == self.rows
        return self.rows > 1 and not self.nulls and (exact or (self.overflown and self.distinct >= 0.97 * self.rows)) and self.longest <= 64

    @property
    def personal(self) -> str:
        """What personal data it likely holds, or ""."""
        return likely_personal(self.name, self.sample)

    @property
    def patterns(self) -> list[tuple[str, float]]:
        """How values are written (9 a digit, a a letter), the most frequent first, with their share."""
        counted = Counter(pattern_of(v) for v in self.sample)
        return [(p, n / len(self.sample)) for p, n in counted.most_common(3)]

    @property
    def top(self) -> list[tuple[str, int]]:
        """The most frequent values."""
        return self.values.most_common(BARS)

    @property
    def histogram(self) -> list[tuple[str, int]]:
        """Numbers and times in equal steps: where each begins, and how many of the sample fall in."""
        if self.kind not in ("integer", "decimal", "number"):
            return Counter(v[:7] for v in self.sample).most_common(36) if self.kind in ("date", "timestamp") else []
        numbers = sorted(map(float, self.sample))
        least, most = numbers[0], numbers[-1]
        if least == most:
            return [(f"{least:g}", len(numbers))]
        width = (most - least) / BARS
        counted = Counter(min(BARS - 1, int((n - least) / width)) for n in numbers)
        return [(f"{least + step * width:.4g}", counted[step]) for step in range(BARS)]

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "column": self.name, "type": self.type, "rows": self.rows, "nulls": self.nulls, "distinct": self.distinct,
            "distinct_is_estimated": self.overflown, "least": self.least, "most": self.most, "longest": self.longest,
            "patterns": self.patterns, "top": self.top, "histogram": self.histogram, "likely_key": self.likely_key,
            "likely_personal": self.personal,
        }  # fmt: skip


def _ordered(value: str) -> tuple[int, float, str]:
    """Numbers by size, before text by letters."""
    try:
        return 0, float(value), value
    except ValueError:
        return 1, 0.0, value


def pattern_of(value: str) -> str:
    """The way a value is written: `A-1234` is `A-9999`, words are `Aa`."""
    short = re.sub(r"[0-9]", "9", value[:40])
    short = re.sub(r"[^\W\d_]+", lambda m: "A" if m[0].isupper() else "a" if m[0].islower() else "Aa", short)
    return re.sub(r"9{5,}", "9…", short)


@dataclass
class Profile:
    """A file's or a table's columns."""

    name: str
    columns: list[ColumnProfile]
    unreadable: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """Rows that could be read."""
        return self.columns[0].rows if self.columns else 0

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {"name": self.name, "rows": self.rows, "unreadable": dict(self.unreadable), "columns": [c.as_dict() for c in self.columns]}


def profiled(name: str, columns: Sequence[str], batches: Iterable[Any]) -> Profile:
    """The profile of batches as `read_object` gives them."""
    import pyarrow.compute as pc

    found = Profile(name, [ColumnProfile(c) for c in columns])
    for batch in batches:
        errors = batch.column("_error")
        if errors.null_count < batch.num_rows:
            found.unreadable.update(e for e in errors.to_pylist() if e)
            batch = batch.filter(pc.is_null(errors))
        for place, column in enumerate(found.columns):
            column.add(batch.column(f"c{place}"))
    return found
