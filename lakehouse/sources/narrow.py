"""Columns of text in the smallest types that hold them: dictionaries for words that repeat, small integers, dates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lakehouse.sources.kinds import integer_type, kind_of, widened

ARROW = {"tinyint": "int8", "smallint": "int16", "int": "int32", "bigint": "int64"}
REPEATS = 2
"""A dictionary pays where a word comes this often on average."""


class Widened(Exception):
    """A column needs another type than rows already taken have."""


@dataclass
class Narrowed:
    """Batches in narrow types, kept chunk by chunk; `saved` compares with what they take as text."""

    names: tuple[str, ...]
    kinds: list[str] = field(default_factory=list)
    chunks: list[list[Any]] = field(default_factory=list)
    text_bytes: int = 0

    def add(self, columns: list[Any]) -> None:
        """One batch of columns, as text. Raises Widened where rows taken as decimals turn out to be text, their spelling gone."""
        if not self.kinds:
            self.kinds, self.chunks = ["null"] * len(columns), [[] for _ in columns]
        self.text_bytes += sum(c.nbytes for c in columns)
        for place, column in enumerate(columns):
            kind = widened(self.kinds[place], kind_of(column))
            if kind != self.kinds[place]:
                if self.kinds[place] in ("decimal", "number") and kind == "string":
                    self.kinds[place] = kind
                    raise Widened
                self.chunks[place] = [_as(_as_text(chunk), kind) for chunk in self.chunks[place]]
                self.kinds[place] = kind
            self.chunks[place].append(_as(column, kind))

    def table(self) -> Any:
        """All rows as one Arrow table."""
        import pyarrow as pa

        columns = [_unified(chunks) for chunks in self.chunks]
        return pa.table(dict(zip(self.names, columns, strict=True))).unify_dictionaries()

    @property
    def bytes(self) -> int:
        """What the columns take now."""
        return sum(chunk.nbytes for chunks in self.chunks for chunk in chunks)

    @property
    def saved(self) -> float:
        """Share of the memory that text would take."""
        return 1 - self.bytes / self.text_bytes if self.text_bytes else 0.0


def narrowed(read: Callable[[], Iterable[Any]], names: tuple[str, ...]) -> Narrowed:
    """The readable rows of an object's batches (`c0`… of `read_object`) in narrow types; read again where a column surprises."""
    found = Narrowed(names)
    while True:
        try:
            return _filled(found, read())
        except Widened:
            found = Narrowed(names, found.kinds, [[] for _ in names])


def _filled(found: Narrowed, batches: Iterable[Any]) -> Narrowed:
    import pyarrow.compute as pc

    names = found.names
    labels = [f"c{n}" for n in range(len(names))]
    for batch in batches:
        good = batch if batch.column("_error").null_count == batch.num_rows else batch.filter(pc.is_null(batch.column("_error")))
        found.add([good.column(label) for label in labels])
    return found


def _as(texts: Any, kind: str) -> Any:
    """Text of a kind in its narrowest type; text stays text where a type would lose something of how it is written."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind == "null":
        return pa.nulls(len(texts), pa.string())
    if kind == "boolean":
        return pc.utf8_lower(texts).cast(pa.bool_()) if _same_case(texts) else _dictionary(texts)
    if kind == "integer":
        whole = texts.cast(pa.int64())
        span = pc.min_max(whole).as_py()
        return whole.cast(getattr(pa, ARROW[integer_type(span["min"] or 0, span["max"] or 0)])())
    if kind in ("decimal", "number"):
        real = texts.cast(pa.float64())
        return real if _is_kept(real, texts) else _dictionary(texts)
    if kind == "date":
        try:
            return texts.cast(pa.date32())
        except pa.ArrowInvalid:  # 30 February
            return _dictionary(texts)
    return _dictionary(texts)


def _same_case(texts: Any) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.equal(texts, pc.utf8_lower(texts))).as_py() in (True, None))


def _is_kept(real: Any, texts: Any) -> bool:
    """Whether 15 digits are enough for all: then the number says what the text said."""
    import pyarrow.compute as pc

    return (pc.max(pc.utf8_length(texts)).as_py() or 0) <= 16


def _dictionary(texts: Any) -> Any:
    coded = texts.dictionary_encode()
    return coded if len(coded.dictionary) * REPEATS <= len(texts) else texts


def _as_text(chunk: Any) -> Any:
    import pyarrow as pa

    return chunk.dictionary_decode() if pa.types.is_dictionary(chunk.type) else chunk.cast(pa.string())


def _unified(chunks: list[Any]) -> Any:
    import pyarrow as pa

    kinds: Iterator[Any] = (c.type for c in chunks)
    types = set(kinds)
    if len(types) == 1:
        return pa.chunked_array(chunks)
    if all(pa.types.is_integer(t) for t in types):
        widest = max(types, key=lambda t: t.bit_width)
        return pa.chunked_array([c.cast(widest) for c in chunks])
    if any(pa.types.is_dictionary(t) or pa.types.is_string(t) for t in types):
        return pa.chunked_array([c if pa.types.is_dictionary(c.type) else _as_text(c).dictionary_encode() for c in chunks])
    return pa.chunked_array([c.cast(pa.string()) for c in chunks])
