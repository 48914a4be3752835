"""Which version of a model is served: decided by rule from its trial, and written down as a list that only grows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from lakehouse import storage
from lakehouse.declare.fitted import Fitted, NotEnoughData
from lakehouse.errors import LakehouseError
from lakehouse.settings import settings

FEWEST_OWNERS = 30
Stage = Literal["champion", "challenger", "rejected"]


@dataclass(frozen=True)
class Judgement:
    """What a trial says of a new version: its stage, why, and its gain over the champion (or the simple rule)."""

    stage: Stage
    reason: str
    gain: float = 0.0
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class Serving:
    """One decision: from now on `version` is served. `event` is promoted, rolled back or chosen (by a person)."""

    number: int
    version: int
    event: str
    reason: str
    at: str


def judge(fitted: Fitted, champion: Any | None, *, must_leave: str = "") -> Judgement:
    """The rule. Rejected: a check failed, or a simple rule does as well. Champion: nobody is served yet, or the gain over the champion's
    own trial estimator exceeds the margin with its whole 95 % interval, or the champion `must_leave` (it learnt from people
    erased since) and the new version is not proven worse. Else challenger.

    champion: the estimator of the champion's trial, None where no version is served. Raises NotEnoughData below 30 owners.
    """
    from lakehouse.science.propensity.promotion import gain

    trial = fitted.trial
    if trial is None:
        return Judgement("champion", "it declares no trial: every new version is served")
    if trial.failed:
        return Judgement("rejected", "; ".join(f"{name}: {found}" for name, found in trial.failed.items()))
    if len(set(trial.owners)) < FEWEST_OWNERS:
        raise NotEnoughData(f"its trial has {len(set(trial.owners))} customers; {FEWEST_OWNERS} at least tell a gain from chance")
    mine = list(trial.loss(trial.estimator))
    simple = gain(list(trial.baseline), mine, trial.owners)
    if simple.low <= 0:
        return Judgement("rejected", f"a simple rule does as well: gain {_told(simple)}", simple.gain, simple.low, simple.high)
    if champion is None:
        return Judgement(
            "champion", f"the first that passes; gain over the simple rule {_told(simple)}", simple.gain, simple.low, simple.high
        )
    found = gain(list(trial.loss(champion)), mine, trial.owners)
    said = f"gain over the champion on later time {_told(found)}, margin {trial.margin:.1%} of {found.champion_loss:.4g}"
    if found.beats(trial.margin):
        return Judgement("champion", said, found.gain, found.low, found.high)
    if must_leave and not found.loses():
        return Judgement("champion", f"{must_leave}; not worse: {said}", found.gain, found.low, found.high)
    return Judgement("challenger", said, found.gain, found.low, found.high)


def _told(found: Any) -> str:
    return f"{found.gain:.4g} ({found.low:.4g} to {found.high:.4g})"


def _folder(name: str) -> str:
    return f"{settings().lake}/_serving/{name}"


def servings(name: str) -> list[Serving]:
    """All decisions of a model, oldest first."""
    listed = sorted(o.uri for o in storage.list_objects(f"{_folder(name)}/"))
    return [Serving(**json.loads(body)) for uri in listed if (body := storage.get(uri)) is not None]


def serve(name: str, version: int, event: str, reason: str) -> Serving:
    """Write a decision down. Raises LakehouseError where another was made at the same moment."""
    before = servings(name)
    made = Serving(len(before) + 1, version, event, reason, datetime.now(UTC).isoformat(timespec="seconds"))
    body = json.dumps(asdict(made), indent=1).encode()
    if not storage.put(f"{_folder(name)}/{made.number:06d}.json", body, only_if_absent=True):
        raise LakehouseError(f"{name}: another decision on what is served was made meanwhile; look at it and run again.")
    return made
