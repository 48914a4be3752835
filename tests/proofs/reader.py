"""A reader that looks at a table all along and remembers every state it saw."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.proofs.lake import Lake

State = frozenset[tuple[tuple[Any, ...], int]]


class Reader:
    """Polls a table's newest version; `polls` counts, `seen` holds each different content."""

    def __init__(self, lake: Lake, name: str) -> None:
        self.lake, self.name = lake, name
        self.polls = 0
        self.seen: set[State] = set()
        self._over = threading.Event()

    def _poll(self) -> None:
        uri = f"s3a://lake/{self.lake.name}/{self.lake.graph[self.name].layer}/{self.name}"
        while not self._over.is_set():
            self.seen.add(state(self.lake.rows_at(uri, self.name)))
            self.polls += 1
            self._over.wait(0.1)

    @contextmanager
    def looking(self) -> Iterator[Reader]:
        """Poll from the block's beginning until after its end."""
        thread = threading.Thread(target=self._poll, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()

    def unexpected(self, *allowed: Counter[tuple[Any, ...]]) -> set[State]:
        """States that are neither of those a reader may see."""
        return self.seen - {state(rows) for rows in allowed}


def state(rows: Counter[tuple[Any, ...]]) -> State:
    """A content that can be remembered."""
    return frozenset(rows.items())
