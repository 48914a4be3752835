"""Results of long proofs, kept by what was proved, so that a run that was stopped goes on."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lakehouse.settings import REPOSITORY

CACHE = Path.home() / ".cache" / "marketing-lakehouse" / "proofs"
PROVED = ("declare", "delta", "graph", "quality", "run", "sources")


class Progress:
    """One proof's results; any change of the code that is proved begins anew."""

    def __init__(self, proof: str, *, resumes: bool) -> None:
        self.folder = CACHE / f"{proof}-{_fingerprint()}" if resumes else None

    def known(self, case: str) -> str | None:
        """What an earlier run found, if it came that far."""
        file = self.folder / case if self.folder else None
        return file.read_text() if file and file.exists() else None

    def keep(self, case: str, result: str) -> None:
        """Write a result down."""
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / case).write_text(result)


def _fingerprint() -> str:
    folders = [*(f"lakehouse/{f}" for f in PROVED), "jobs", "tests/proofs"]
    files = sorted(f for folder in folders for f in (REPOSITORY / folder).rglob("*.py"))
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:12]
