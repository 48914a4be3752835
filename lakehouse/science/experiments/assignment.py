"""Who gets what: the same unit always the same arm, unrelated between experiments."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lakehouse.science.experiments.estimate import Floats
from lakehouse.science.unfit import UnfitData

_DIGITS = 13


def places(units: Iterable[str], salt: str) -> Floats:
    """(N,) a number in [0, 1) per unit: the first 13 hexadecimal digits of SHA-256(salt + ':' + unit) ÷
    16^13.

    52 bits fit a double exactly, so Spark's `conv(substr(sha2(…, 256), 1, 13), 16, 10) / pow(16, 13)` agrees.
    A new salt per experiment makes assignments independent of each other.
    """
    if not salt:
        raise UnfitData("places: the salt is empty; use the experiment's name, else all share one split.")
    scale = 16.0**_DIGITS
    digests = (hashlib.sha256(f"{salt}:{unit}".encode()).hexdigest()[:_DIGITS] for unit in units)
    return np.array([int(digest, 16) / scale for digest in digests], dtype=np.float64)


def assign(units: Iterable[str], salt: str, shares: Mapping[str, float] | None = None) -> list[str]:
    """The arm of each unit. shares: arm → share, in order, summing to one; 50/50 control and treatment by
    default.

    Raising the share of the last arm moves units only into it, so a roll-out keeps those it has reached.
    """
    parts = {"control": 0.5, "treatment": 0.5} if shares is None else dict(shares)
    total = sum(parts.values())
    if abs(total - 1) > 1e-9 or min(parts.values()) < 0:
        raise UnfitData(f"assign: shares {parts} sum to {total:g}; give shares from 0 to 1 that sum to 1.")
    arms = list(parts)
    edges = np.cumsum(list(parts.values()))[:-1]
    return [arms[place] for place in np.searchsorted(edges, places(units, salt), side="right")]


@dataclass(frozen=True)
class Exposed:
    """units: one row per unit with its first exposure. crossed: units seen in several arms, left out of
    `units`.

    contradicting: units whose arm is not the one the hash gives, kept but counted.
    """

    units: pd.DataFrame
    crossed: int
    contradicting: int


def first_exposures(log: pd.DataFrame, salt: str, shares: Mapping[str, float] | None = None) -> Exposed:
    """Reduce an exposure log (`unit`, `arm`, `at`) to one row per unit: analysis counts those exposed, once.

    Repeated deliveries of a row change nothing.
    """
    if missing := sorted({"unit", "arm", "at"} - set(log.columns)):
        raise UnfitData(f"first_exposures: the log lacks {missing}; it has {', '.join(log.columns)}.")
    arms = log.groupby("unit")["arm"].nunique()
    single = log[log["unit"].map(arms) == 1]
    once = single.sort_values("at", kind="stable").drop_duplicates("unit").reset_index(drop=True)
    expected = np.array(assign(once["unit"].astype(str), salt, shares), dtype=object)
    wrong = int((once["arm"].to_numpy() != expected).sum())
    return Exposed(once[["unit", "arm", "at"]], int((arms > 1).sum()), wrong)
