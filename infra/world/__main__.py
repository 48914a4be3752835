"""python -m infra.world: create, advance, live, status, fault, truth."""

import argparse
import signal
import sys
import threading
from datetime import UTC, datetime

from infra.world import faults
from infra.world.advance import Place, World, WorldError, next_hour, parse_moment
from infra.world.company import SIZES
from infra.world.truth import ask
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
    fault = commands.add_parser("fault", help="make something go wrong on the way into landing")
    fault.add_argument("name", nargs="?", help="which (see --list)")
    fault.add_argument("state", nargs="?", choices=["on", "off"])
    fault.add_argument("--list", action="store_true", help="all faults, what the lakehouse does about each, and which are on")
    asked = commands.add_parser("truth", help="ask what the company cannot observe, in SQL; without a question: list the tables")
    asked.add_argument("question", nargs="?", help="such as: SELECT type, count(*) FROM people GROUP BY type")
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


def fault(given: argparse.Namespace) -> int:
    """List the faults, or switch one."""
    if given.name and given.name not in faults.FAULTS:
        raise WorldError(f"'{given.name}' is no fault; valid: {', '.join(faults.FAULTS)}")
    folder = here().truth
    if given.list or not given.name:
        now = faults.active(folder)
        for name, each in faults.FAULTS.items():
            print(f"{'on ' if name in now else 'off'} {name:<16} {each.prefix or 'ad API':<18} {each.does}\n{'':<39}→ {each.met_by}")
        return 0
    if given.state is None:
        raise WorldError(f"say on or off: python -m infra.world fault {given.name} on")
    now = faults.switch(folder, given.name, on=given.state == "on")
    print(f"on: {', '.join(sorted(now)) or 'none'}; met by objects that land from now on")
    return 0


def main() -> int:
    """Run one command and return its exit code."""
    given = arguments().parse_args()
    try:
        if given.command == "fault":
            return fault(given)
        if given.command == "truth":
            print(ask(here().truth, given.question))
            return 0
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
