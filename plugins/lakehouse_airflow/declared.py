"""The graph that the DAG files build from."""

from __future__ import annotations

import os
from functools import lru_cache

from lakehouse.graph import Graph, load


def graph() -> Graph:
    """The tables of the package that `LAKEHOUSE_JOBS` names (`jobs` unless set), loaded once per process."""
    return _loaded(os.environ.get("LAKEHOUSE_JOBS") or "jobs")


@lru_cache(maxsize=4)
def _loaded(jobs: str) -> Graph:
    return load(jobs)
