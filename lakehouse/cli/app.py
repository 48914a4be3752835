"""The command line, put together: each module adds its commands, in this order."""

from lakehouse.cli import tables, training, quarantine, erasing, beginning  # noqa: I001 — the order of the help text
from lakehouse.cli.program import app

__all__ = ["app", "beginning", "erasing", "quarantine", "tables", "training"]
