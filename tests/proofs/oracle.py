"""What a few tables must hold, said in plain Python without Spark, Delta or the engine."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Change = dict[str, Any]
Rows = Counter[tuple[Any, ...]]


def newest_of(changes: list[Change], key: str, erased: set[str]) -> tuple[Rows, list[tuple[Any, ...]]]:
    """The newest good state of each thing that still exists, and the states held back."""
    states: dict[str, list[tuple[int, bool, tuple[Any, ...]]]] = defaultdict(list)
    held = set()
    for each in changes:
        row = each["row"]
        if row[key] in erased:
            continue
        gone = each["operation"] == "delete"
        content = () if gone else _thing(row)
        if not gone and content[3] < 0:
            held.add(content)
            continue
        states[row[key]].append((each["sequence"], gone, content))
    last = [max(of_one, key=lambda s: s[:2]) for of_one in states.values()]
    return Counter(content for _, gone, content in last if not gone), sorted(held, key=str)


def _thing(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["thing_id"], row["group_id"], row["label_id"], Decimal(row["amount"]), datetime.fromisoformat(row["happened_at"]))


def groups_of(things: Rows) -> Rows:
    """Number and worth of the things in each place; places with more than three are held back."""
    lying: dict[str | None, list[Decimal]] = defaultdict(list)
    for thing in things:
        lying[thing[1]].append(thing[3])
    return Counter((g or "nowhere", g, len(worth), sum(worth)) for g, worth in lying.items() if len(worth) <= 3)


def history_of(changes: list[Change], erased: set[str]) -> Rows:
    """Each interval in which a thing lay in one place with one label."""
    found: list[tuple[Any, ...]] = []
    for name in {c["row"]["thing_id"] for c in changes} - erased:
        mine = {c["sequence"]: c for c in changes if c["row"]["thing_id"] == name}
        at_moment = {mine[s]["at"]: mine[s] for s in sorted(mine)}  # of several at one moment the last holds
        steps: list[tuple[datetime, tuple[Any, ...] | None]] = []
        for moment, each in at_moment.items():
            row = each["row"]
            state = None if each["operation"] == "delete" else (row["group_id"], row["label_id"])
            if not steps or steps[-1][1] != state:
                steps.append((datetime.fromisoformat(moment).astimezone(UTC), state))
        for place, (since, state) in enumerate(steps):
            until = steps[place + 1][0] if place + 1 < len(steps) else None
            if state is not None:
                found.append((name, *state, since, until, until is None))
    return Counter(found)
