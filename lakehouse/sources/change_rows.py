"""Change rows: {"sequence", "operation", "at", "row"} a line, whatever the source they come from."""

from __future__ import annotations

from typing import Any

from lakehouse.sources.json_lines import Literal, objects, text_of
from lakehouse.sources.objects import Text
from lakehouse.sources.received import Items, Names, Unreadable

ENVELOPE = ("sequence", "operation", "at", "row")
OPERATIONS = ("upsert", "delete")
LARGEST = 2**63 - 1


def rows(text: Text, names: Names) -> Items:
    """`_op`, `_sequence`, `_event_at`, then the declared columns of the row."""
    envelope = Names(ENVELOPE, names.unknown)
    for number, written, found in objects(text):
        if isinstance(found, str):
            yield Unreadable(number, written, found)
            continue
        reason = _refusal(found, envelope) or names.refusal(tuple(found["row"]))
        if reason:
            yield Unreadable(number, written, reason)
            continue
        row = found["row"]
        yield number, [found["operation"], found["sequence"], found["at"], *names.values(row)]


def _refusal(change: dict[str, Any], envelope: Names) -> str:
    reason = envelope.refusal(tuple(change))
    if reason:
        return reason
    missing = [name for name in ENVELOPE if change.get(name) is None]
    if missing:
        return f"a change row without {', '.join(missing)}; it holds {', '.join(ENVELOPE)}"
    sequence, operation = change["sequence"], change["operation"]
    if not (isinstance(sequence, Literal) and sequence.isdecimal() and int(sequence[:20]) <= LARGEST):
        return f"sequence {text_of(sequence)[:40]} is no whole number from 0 to {LARGEST}"
    if operation not in OPERATIONS:
        return f"operation {text_of(operation)[:40]} is none; valid: {', '.join(OPERATIONS)}"
    if type(change["at"]) is not str:
        return f"at {text_of(change['at'])[:40]} is no time written as a string"
    if type(change["row"]) is not dict:
        return "row is no object"
    return ""
