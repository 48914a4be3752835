"""Where the protocol can be stopped in a test: a step named by LAKEHOUSE_FAULT pauses there until the process is killed."""

from __future__ import annotations

import os
import time
from pathlib import Path

STEPS = ("resolved", "staged", "audited", "created", "quarantined", "published")


def reached(step: str) -> None:
    """Say that a step is reached. With LAKEHOUSE_FAULT="staged:/path" the path is made and the process waits to be killed."""
    wanted, _, marker = os.environ.get("LAKEHOUSE_FAULT", "").partition(":")
    if wanted == step and marker and not Path(marker).exists():
        Path(marker).touch()
        time.sleep(600)
