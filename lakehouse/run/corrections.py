"""Corrections of lines in quarantine: objects in landing, taken once like any other.

A line of such an object is one corrected line: which one it corrects (`quarantine_id`, `source_file`, `line`), the row as the source
would have sent it, by whom and when. A correction without a row asks for the whole object to be taken again.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lakehouse import storage
from lakehouse.declare.sources import ChangeRows, JsonLines, Source
from lakehouse.declare.tables import Table
from lakehouse.settings import settings

FOLDER = "_corrections"


@dataclass(frozen=True)
class Correction:
    """One line put right, or (`row` empty) one object to be taken again."""

    quarantine_id: str
    source_file: str
    line: int
    row: str
    """JSON: the row in the names of the source; of change rows the whole change."""
    by: str
    at: str

    @property
    def again(self) -> bool:
        """Whether the object as a whole is meant."""
        return not self.row


def folder_of(table: str) -> str:
    """Where the corrections of a bronze table lie in landing."""
    return f"{FOLDER}/{table}"


def is_correction(name: str) -> bool:
    """Whether an object of landing is one of corrections."""
    return name.startswith(f"{FOLDER}/")


def put(table: str, corrections: Sequence[Correction]) -> str:
    """Land corrections as one object named after its content, so that landing them again changes nothing; returns its name."""
    body = "\n".join(json.dumps(asdict(c), ensure_ascii=False) for c in corrections).encode()
    ids = "".join(sorted(c.quarantine_id + c.row for c in corrections))
    name = f"{folder_of(table)}/{hashlib.sha256(ids.encode()).hexdigest()[:24]}.jsonl"
    storage.put(f"{settings().landing}/{name}", body, only_if_absent=True)
    return name


def _listed(table: Table) -> dict[str, storage.Object]:
    prefix = f"{settings().landing}/{folder_of(table.name)}/"
    return {o.uri.removeprefix(f"{settings().landing}/"): o for o in storage.list_objects(prefix)}


def objects_of(table: Table, taken: Mapping[str, str]) -> dict[str, str]:
    """Objects of corrections that no commit has taken: name → identity."""
    return {n: f"{o.etag}:{o.size}" for n, o in _listed(table).items() if n not in taken}


def first(names: Iterable[str], landing: str = "") -> tuple[Correction, ...]:
    """The corrections of some objects in landing (that of the settings unless given), each line's first."""
    found: dict[str, Correction] = {}
    for name in sorted(names):
        for correction in read(name, landing):
            found.setdefault(correction.quarantine_id, correction)
    return tuple(found.values())


def read(name: str, landing: str = "") -> list[Correction]:
    """The corrections of one object."""
    body = storage.get(f"{landing or settings().landing}/{name}") or b""
    return [Correction(**json.loads(line)) for line in body.splitlines() if line.strip()]


def batches(source: Source, columns: tuple[str, ...], corrections: Iterable[Correction]) -> Iterator[tuple[str, Any]]:
    """Corrected lines read as strictly as any: the file each came from, and record batches with the line it had there."""
    from lakehouse.sources.read import read_object

    by_file: dict[str, list[Correction]] = {}
    for correction in corrections:
        if not correction.again:
            by_file.setdefault(correction.source_file, []).append(correction)
    like = ChangeRows(source.prefix) if isinstance(source, ChangeRows) else JsonLines(source.prefix)
    for file, lines in by_file.items():
        content = "\n".join(c.row.replace("\n", " ") for c in lines).encode()

        def opened(content: bytes = content) -> io.BytesIO:
            return io.BytesIO(content)

        for batch in read_object(like, columns, opened, "corrections.jsonl"):
            yield file, _with_lines(batch, [c.line for c in lines])


def _with_lines(batch: Any, lines: Sequence[int]) -> Any:
    import pyarrow as pa

    place = batch.schema.get_field_index("_line")
    there = pa.array([lines[n - 1] if n else 0 for n in batch.column(place).to_pylist()], pa.int64())
    return batch.set_column(place, "_line", there)
