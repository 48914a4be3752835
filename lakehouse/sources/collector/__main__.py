"""python -m lakehouse.sources.collector web__events: take events over HTTP for a bronze table, until stopped."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.graph import load
from lakehouse.settings import settings
from lakehouse.sources.batches import Place
from lakehouse.sources.collector.app import Collector, application
from lakehouse.sources.collector.events import Events
from lakehouse.sources.collector.journal import Journal


def main() -> int:
    """Serve, or land what is on disk; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lakehouse.sources.collector", description="Takes events over HTTP for a bronze table.")
    parser.add_argument("table", help="the bronze table; events land below its source's prefix")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--folder", type=Path, help="where events wait (default: collector/<table> in the stack's folder)")
    parser.add_argument("--land", action="store_true", help="land everything on disk, this hour's too, and end; not beside a running one")
    given = parser.parse_args()
    try:
        table = load(settings().jobs)[given.table]
        if table.source is None:
            raise LakehouseError(f"{given.table} is no bronze table: events land below a source's prefix")
        journal, place = Journal(given.folder or settings().home / "collector" / given.table), Place.here()
        if given.land:
            journal.close()
            journal.seal()
            for name in journal.land(place, table.source.prefix):
                print(name)
            return 0
        import uvicorn

        collector = Collector(Events(table), journal, place, table.source.prefix)
        uvicorn.run(application(collector), host=given.host, port=given.port, log_level="warning", access_log=False)
    except LakehouseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
