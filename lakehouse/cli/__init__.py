"""The command line: `lakehouse --help`."""

from lakehouse.cli.app import app

__all__ = ["app"]
