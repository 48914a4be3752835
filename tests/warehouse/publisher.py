"""A publisher in a process of its own, which ends itself by SIGKILL at a moment named: `publisher.py cut.json MOMENT`."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from lakehouse.warehouse import publish
from lakehouse.warehouse import publish as _function  # noqa: F401  (the package's name hides the module's)
from lakehouse.warehouse.connection import Connection
from lakehouse.warehouse.lake import PinnedTable
from tests.warehouse.star import DIM_CUSTOMER, FCT_ORDER_LINES, FCT_ORDERS, Version, star

publishing = sys.modules["lakehouse.warehouse.publish"]
switching = sys.modules["lakehouse.warehouse.switch"]
STAR = star(DIM_CUSTOMER, FCT_ORDERS, FCT_ORDER_LINES)
MOMENTS = ("loading", "loaded", "before commit", "during commit", "after commit")


def die(*_: object) -> None:
    """As the kernel or a person would end it: nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)


def during_commit(connection: Connection) -> None:
    """COMMIT is on its way to the server; its reply is never seen."""
    connection.pgconn.send_query(b"COMMIT")
    connection.pgconn.flush()
    die()


def after_commit(connection: Connection) -> None:
    """Committed, and nothing said of it."""
    connection.execute("COMMIT")
    die()


def one_batch(self: PinnedTable, columns: list[str] | None = None) -> Iterator[Any]:
    """Some rows are in, the rest will never be."""
    yield next(iter(BATCHES(self, columns)))
    time.sleep(0.2)
    die()


def one_view_after_the_other(connection: Connection, plan: Any, patience: float) -> int:
    """The mistake a reader must notice: each view is switched in a transaction of its own."""
    number = 0
    for each in plan.views:
        number = SWITCH(connection, replace(plan, showing=[each], views=[each], references=()), patience)
        time.sleep(0.15)
    return number


BATCHES, SWITCH = PinnedTable.batches, switching.switch

if __name__ == "__main__":
    cut, moment = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), sys.argv[2]
    match moment:
        case "loading":
            PinnedTable.batches = one_batch  # type: ignore[method-assign]
        case "loaded":
            publishing.switch = die
        case "before commit":
            switching.commit = die
        case "during commit":
            switching.commit = during_commit
        case "after commit":
            switching.commit = after_commit
        case "one by one":
            publishing.switch = one_view_after_the_other
    report = publish(STAR, {name: Version(**version) for name, version in cut.items()}, moment)
    print(report.state)
