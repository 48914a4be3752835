"""What ends with a Spark session: nobody who asks pyspark for the active one later gets a dead one."""

from __future__ import annotations

import uuid

import pytest

from lakehouse.delta.session import interrupt, open_session
from lakehouse.settings import Settings

pytestmark = pytest.mark.integration


def test_a_session_that_another_process_ended_is_not_left_as_the_active_one(stack: Settings) -> None:
    from pyspark.sql.connect.session import SparkSession

    before = SparkSession.getActiveSession()
    attempt = uuid.uuid4().hex
    with open_session(attempt) as outlived, open_session() as later:
        interrupt(attempt)  # as a retry does
        assert later.sql("SELECT 7").collect()[0][0] == 7
    assert outlived.is_stopped
    assert later.is_stopped
    assert SparkSession.getActiveSession() is before


@pytest.mark.parametrize("ran", [True, False])
def test_interrupting_an_attempt_leaves_nothing_whether_it_ended_or_never_was(ran: bool, stack: Settings) -> None:
    from pyspark.sql.connect.session import SparkSession

    before, attempt = SparkSession.getActiveSession(), uuid.uuid4().hex
    if ran:
        with open_session(attempt) as spark:
            spark.sql("SELECT 7").collect()
    interrupt(attempt)
    assert SparkSession.getActiveSession() is before
