"""Which rows of a table are there, by what was landed of it: a table emptied at once leaves no word of each row in the log."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lakehouse.sources.batches import Place, Spool

KEYS_AT_ONCE = 5_000


class LiveRows:
    """Keys of the rows that are there, on disk. A context manager."""

    def __init__(self, key: Sequence[str]) -> None:
        self.key = tuple(key)

    def __enter__(self) -> LiveRows:
        self._folder = TemporaryDirectory()
        self._books = sqlite3.connect(Path(self._folder.name, "live"), isolation_level=None)
        self._books.execute("PRAGMA synchronous = off")
        self._books.execute("CREATE TABLE live (row TEXT PRIMARY KEY) WITHOUT ROWID")
        self._books.execute("BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        self._books.close()
        self._folder.cleanup()

    def replay(self, lines: Iterable[bytes]) -> None:
        """Follow change rows, in their order."""
        for line in lines:
            change = json.loads(line, parse_float=str)
            if change["operation"] == "upsert":
                self._books.execute("INSERT OR IGNORE INTO live VALUES (?)", [self.of(change["row"])])
            else:
                self.gone(change["row"])

    def gone(self, row: dict[str, Any]) -> None:
        """Take a row out."""
        self._books.execute("DELETE FROM live WHERE row = ?", [self.of(row)])

    def of(self, row: dict[str, Any]) -> str:
        """A row's key as JSON: what identifies it, and what a deletion carries."""
        kept = {name: row[name] for name in self.key if name in row} if self.key else row
        return json.dumps(kept, ensure_ascii=False)

    def __iter__(self) -> Iterator[str]:
        with closing(self._books.cursor()) as cursor:
            for (row,) in cursor.execute("SELECT row FROM live ORDER BY row"):
                yield row


def landed(place: Place, source: str, table: str, last: str, spool: Spool) -> Iterator[bytes]:
    """Every change row of a table, landed up to the batch `last` and spooled since."""
    for name in place.names(f"{source}/{table}/"):
        if name.rsplit("/", 1)[1].split(".")[0] <= last:
            yield from zlib.decompress(place.get(name), wbits=31).splitlines()
    yield from spool.lines(table)
