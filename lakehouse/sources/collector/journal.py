"""Events on disk before they are acknowledged, landed once their hour is over.

One thread writes. All that waits is written and synchronised at once, so a hundred requests share one `fsync`. Each hour has a
file of its own, sealed when the hour is over and landed as `<prefix>/<hour>.<collector>-<part>.jsonl.gz`; only then is it removed.
Killed anywhere, the next start cuts a line that was not written whole (nobody was told it was taken), seals what it finds and goes
on in a new part.
"""

from __future__ import annotations

import gzip
import os
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO

from lakehouse.errors import LakehouseError
from lakehouse.sources.batches import Place

HOUR = "%Y-%m-%dT%H"
NAME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d)-(\d+)\.jsonl")
AT_ONCE = 4 << 20
Done = Callable[[BaseException | None], None]


class JournalFailed(LakehouseError):
    """The disk did not take what was written."""


@dataclass(frozen=True)
class Waiting:
    """Lines to be written, and whom to tell."""

    body: bytes
    done: Done


class Journal:
    """The files of one collector; `write` from any thread, `land` from any one thread."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.clock = folder, clock
        self.name = self._own_name()
        self.failed: BaseException | None = None
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._hour, self._file = "", None  # type: tuple[str, BinaryIO | None]
        self._recover()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def write(self, body: bytes, done: Done) -> None:
        """Have lines written; `done` is called with None once they are on disk, or with what went wrong."""
        self._queue.put(Waiting(body, done))

    def close(self) -> None:
        """Write what waits and stop."""
        self._queue.put(None)
        self._thread.join()

    def bytes_kept(self) -> int:
        """Size of what has not landed yet."""
        return sum(file.stat().st_size for file in self.folder.glob("*.jsonl"))

    def seal(self) -> None:
        """End the current file, so that the next `land` takes it before its hour is over. Only after `close`."""
        self._end()

    def land(self, place: Place, prefix: str) -> list[str]:
        """Land the files that are sealed, each under a name of its own, and remove them; gives the names."""
        landed = []
        for file in sorted(self.folder.glob("*.sealed")):
            found = NAME.fullmatch(file.stem)
            assert found
            name = f"{prefix}/{found[1]}.{self.name}-{found[2]}.jsonl.gz"
            place.put_if_absent(name, gzip.compress(file.read_bytes(), 6, mtime=0))
            file.unlink()
            landed.append(name)
        return landed

    def _own_name(self) -> str:
        file = self.folder / "name"
        if not file.exists():
            fresh = self.folder / "name.new"
            fresh.write_text(secrets.token_hex(4))
            fresh.rename(file)
        return file.read_text()

    def _recover(self) -> None:
        for file in sorted(self.folder.glob("*.jsonl")):
            body = file.read_bytes()
            whole = body.rfind(b"\n") + 1
            with file.open("r+b") as torn:
                torn.truncate(whole)
                os.fsync(torn.fileno())
            file.rename(file.with_name(f"{file.name}.sealed"))

    def _work(self) -> None:
        while True:
            try:
                first = self._queue.get(timeout=1)
            except Empty:
                self._turn()
                continue
            group, size = [first], 0
            while group[-1] is not None and size < AT_ONCE:
                size += len(group[-1].body)
                try:
                    group.append(self._queue.get_nowait())
                except Empty:
                    break
            waiting = [each for each in group if each is not None]
            self._write(waiting)
            if group[-1] is None:
                self._close_file()
                return

    def _write(self, waiting: list[Waiting]) -> None:
        if self.failed is None and waiting:
            try:
                file = self._turn()
                file.write(b"".join(each.body for each in waiting))
                file.flush()
                os.fsync(file.fileno())
            except OSError as wrong:  # after a failed fsync nobody knows what is on disk: only a new start finds out
                self.failed = wrong
        for each in waiting:
            each.done(self.failed)

    def _turn(self) -> BinaryIO:
        """The file of this hour; the one before is sealed."""
        hour = self.clock().strftime(HOUR)
        if self._file is None or hour != self._hour:
            self._end()
            self._hour, part = hour, time.time_ns()
            self._file = (self.folder / f"{hour}-{part}.jsonl").open("ab")
            folder = os.open(self.folder, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        return self._file

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
            path = Path(self._file.name)
            path.rename(path.with_name(f"{path.name}.sealed"))
            self._file = None
