"""A database of each test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lakehouse.settings import Settings
from tests.warehouse.server import Server, own_warehouse


@pytest.fixture
def warehouse(stack: Settings) -> Iterator[Server]:
    """A database of this test's own."""
    with own_warehouse(stack) as server:
        yield server
