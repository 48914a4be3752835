"""`python -m lakehouse.cli`."""

from lakehouse.cli.app import app

app(prog_name="lakehouse")
