from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    place = Path("/work/shared/data")
    if not place.is_dir():
        pytest.skip("the shared data sets are not on this machine")
    return place
