"""One Postgres for all tests of change capture."""

from collections.abc import Iterator

import pytest

from tests.sources.capture.server import OwnServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """A server that may be killed; databases are each test's own."""
    own = OwnServer(tmp_path_factory.mktemp("capture") / "server")
    yield own
    own.stop()
