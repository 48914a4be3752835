"""python -m infra.world: create, advance, live, status."""

import argparse
import signal
import sys
import threading
from datetime import UTC, datetime

from infra.world.advance import Place, World, next_hour, parse_moment
from infra.world.company import SIZES
from lakehouse.errors import LakehouseError


def arguments() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m infra.world", description="The simulated company.")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="found the company with its history; goes on after a kill")
    create.add_argument("--size", choices=list(SIZES), default="small")
    create.add_argument("--seed", type=int, default=7)
    create.add_argument("--days", type=int, help="days of history (default: by size)")
    create.add_argument("--customers", type=int, help="customers at its end (default: by size)")
    create.add_argument("--until", default="NOW", help="NOW, a date or an ISO moment; whole hours count")
    advance = commands.add_parser("advance", help="move the company forward")
    advance.add_argument("--to", default="NOW", help="NOW, a date or an ISO moment; whole hours count")
    commands.add_parser("live", help="advance by each hour that has ended, until stopped")
    commands.add_parser("status", help="tell where the company stands")
    return parser


def here() -> Place:
    """Give the place the settings name."""
    from lakehouse.settings import settings
    from lakehouse.storage import client, split

    known = settings()
    bucket, _ = split(known.landing + "/")
    return Place(known.shop_url.get_secret_value(), client(), bucket, known.home / "world" / "truth")


def live(world: World) -> None:
    """Advance whenever an hour has ended, until a signal comes."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.is_set():
        if world.standing() is None:
            print("world: none yet, waiting for one to be created", flush=True)
            stopped.wait(60)
            continue
        world.advance(datetime.now(UTC))
        stopped.wait(next_hour(datetime.now(UTC)) + 2)


def status(world: World) -> int:
    """Print where the company stands."""
    standing = world.standing()
    if standing is None:
        print("There is no world yet. Make one: python -m infra.world create --size small")
        return 1
    company = standing.company
    print(f"World {company.size}: {company.customers:,} customers, seed {company.seed}, since {company.start}")
    print(f"Advanced to {standing.advanced_to:%Y-%m-%d %H:%M} UTC")
    for table, rows in world.counts().items():
        print(f"  {table:<12} {rows:>12,}")
    return 0


def main() -> int:
    """Run one command and return its exit code."""
    given = arguments().parse_args()
    try:
        world = World(here(), lambda line: print(line, flush=True))
        if given.command == "create":
            until = parse_moment(given.until)
            world.create(given.size, until, given.seed, given.days, given.customers)
        elif given.command == "advance":
            world.advance(parse_moment(given.to))
        elif given.command == "live":
            live(world)
        return 0 if given.command == "live" else status(world)
    except LakehouseError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
