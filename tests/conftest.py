"""What every test may use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stacks import airflow_stack, stack, stack_command, stack_home

__all__ = ["airflow_stack", "stack", "stack_command", "stack_home"]

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_DATA = Path(os.environ.get("LAKEHOUSE_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the shared data sets; a test that asks for it is skipped where there is none."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no shared data in {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture
def clean_settings() -> Iterator[None]:
    """Settings read anew in this test, and forgotten after it."""
    from lakehouse import storage
    from lakehouse.settings import settings

    settings.cache_clear()
    storage.client.cache_clear()
    yield
    settings.cache_clear()
    storage.client.cache_clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for the fixture `shared_data` carries its mark; likewise for the stacks. Files that take long come first."""
    for item in items:
        asked = getattr(item, "fixturenames", ())
        for fixture, mark in (
            ("shared_data", "shared_data"),
            ("stack", "integration"),
            ("airflow_stack", "airflow"),
        ):
            if fixture in asked and not item.get_closest_marker(mark):
                item.add_marker(getattr(pytest.mark, mark))
    first: dict[Path, int] = {}
    for item in items:
        place = next((n for n, mark in enumerate(("airflow", "prove", "integration")) if item.get_closest_marker(mark)), 3)
        first[item.path] = min(place, first.get(item.path, place))
    items.sort(key=lambda item: first[item.path])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Where the shared data are present, a test on them that skips has failed."""
    report = yield
    if (
        report.skipped
        and not hasattr(report, "wasxfail")
        and item.get_closest_marker("shared_data")
        and SHARED_DATA.is_dir()
    ):
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} skipped although the shared data are in {SHARED_DATA}: {report.longrepr}"
        )
    return report
