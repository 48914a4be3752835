"""The nearest valid name, for errors."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(received: str, valid: Iterable[str]) -> str:
    """` Did you mean 'orders'?`, or the valid names where none is near."""
    names = sorted(valid)
    near = get_close_matches(received, names, n=1, cutoff=0.6)
    if near:
        return f" Did you mean '{near[0]}'?"
    shown = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    return f" Valid: {shown or 'none yet'}."
