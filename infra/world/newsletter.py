"""Who gets newsletters: a lot drawn once for each customer, so that what a newsletter adds can be measured.

Drawn from the customer's number alone, as shops do with a salted hash: nobody can be moved between the arms, and consent given later
meets the arm drawn at sign-up.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import orjson

from infra.world.company import Company
from infra.world.population import customer_id
from infra.world.randomness import pick
from infra.world.state import Array

if TYPE_CHECKING:
    from infra.world.day import Day

MAILED, OF = 3, 4
"""So many of so many customers get newsletters once they agreed to e-mail; the others never do."""


def mailed(who: Array) -> Array:
    """Give whether customers (positions) are in the arm that gets newsletters."""
    return pick(0, "newsletter lot", np.asarray(who), OF) < MAILED


def assignments(company: Company, day: "Day") -> Iterator[tuple[str, bytes]]:
    """Give the day's draws as JSON lines: those of new customers, on the first day those of everybody who was there before."""
    people, first = day.after.customers, day.first_newcomer if day.day else 0
    who = np.arange(first, len(people))
    if not len(who):
        return
    at = np.maximum(people["created"][who], company.second(day.day))
    rows = [
        {
            "assignment_id": f"newsletter:{customer_id(i)}",
            "campaign": "newsletter",
            "customer_id": customer_id(i),
            "arm": "mailed" if gets else "held out",
            "chance": MAILED / OF,
            "assigned_at": datetime.fromtimestamp(second, UTC).isoformat(),
        }
        for i, second, gets in zip(who.tolist(), at.tolist(), mailed(who).tolist(), strict=True)
    ]
    yield f"campaigns/assignments/{company.date(day.day)}.jsonl", b"".join(orjson.dumps(row) + b"\n" for row in rows)
