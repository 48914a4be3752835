"""Where a channel's effect lies: shares of sales by place, and experiments that ran in some places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]
ALIKE = 20.0
"""With so many orders of its own a channel is believed as much as the place's share of all sales, when its effect is split over places."""
OWN_SPREAD = 0.5
"""How far a channel's sales lie off all sales from place to place, as a deviation of logarithms: known where it has orders."""
PLACE_SPREAD = 0.55
"""How far effects in places are off the shares of sales there, as a deviation of logarithms: 90 % within a factor of 2.5."""


@dataclass(frozen=True)
class Places:
    """How a channel's effect is expected to lie over places. shares (P,): each above 0, in sum 1; spread (P,): how unsure, as
    deviations of their logarithms."""

    channel: str
    names: tuple[str, ...]
    shares: Floats
    spread: Floats

    @classmethod
    def of(cls, channel: str, sales: Mapping[str, float], credit: Mapping[str, float], orders: Mapping[str, float]) -> Places:
        """Shares where a channel is credited with sales, drawn towards where all sales are as by `ALIKE` further orders:

            s_g = (credit_g + k S_g) / (credit + k),  k = ALIKE orders of the mean value

        the posterior mean of a multinomial share under a Dirichlet prior (Gelman et al., Bayesian Data Analysis, 3rd ed., §3.4).
        spread² = PLACE_SPREAD² + 1 / (n_g + ALIKE S_g + 1) + (ALIKE / (n + ALIKE) · OWN_SPREAD)²

        n_g: the channel's orders in the place, n: all its orders (delta method for a log count, and what the drawing hides of a
        channel whose sales lie unlike all sales).
        sales: of everything by place, at least one above 0; places without sales and credit are left out.
        """
        names = tuple(sorted(name for name in sales if sales[name] > 0 or credit.get(name, 0.0) > 0))
        if not names:
            raise UnfitData(f"Places: {channel}: no place has sales; give at least one above 0.")
        all_sales = np.array([max(sales[name], 0.0) for name in names])
        credited = np.array([max(credit.get(name, 0.0), 0.0) for name in names])
        told = np.array([max(orders.get(name, 0.0), 0.0) for name in names])
        alike = all_sales / all_sales.sum() if all_sales.sum() > 0 else np.full(len(names), 1 / len(names))
        alike = np.maximum(alike, 1e-6) / np.maximum(alike, 1e-6).sum()
        value = credited.sum() / told.sum() if told.sum() > 0 and credited.sum() > 0 else 1.0
        shares = credited + ALIKE * value * alike
        hidden = ALIKE / (told.sum() + ALIKE) * OWN_SPREAD
        return cls(channel, names, shares / shares.sum(), np.sqrt(PLACE_SPREAD**2 + 1 / (told + ALIKE * alike + 1) + hidden**2))


@dataclass(frozen=True)
class PlaceStudy:
    """An experiment in some places: `effect` ± `error` is what it found in all of them together. parts: place → the part of the
    channel's effect there that it varied (1: the channel was on because of it alone). seen: as of `Study`."""

    name: str
    channel: str
    parts: Mapping[str, float]
    effect: float
    error: float
    seen: float = 1.0


def softmax(where: Places, moved: Floats) -> Floats:
    """Shares (…, P) in sum 1 from δ (…, P): s · e^(δ − σ²/2), so that their means stay near s whatever the spread."""
    raised = where.shares * np.exp(moved - where.spread**2 / 2)
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float64)


def spots_of(
    places: Sequence[Places], placed: Sequence[PlaceStudy], first: int
) -> tuple[dict[str, slice], list[tuple[PlaceStudy, Floats, Places]]]:
    """Where each tested channel's δ lie in the state, and each study with its parts by place."""
    known = {where.channel: where for where in places}
    spots: dict[str, slice] = {}
    for where in places:
        if any(study.channel == where.channel for study in placed):
            spots[where.channel] = slice(first, first + len(where.names))
            first += len(where.names)
    questions = []
    for study in placed:
        if study.channel not in known or (set(study.parts) - set(known[study.channel].names)):
            names = known[study.channel].names if study.channel in known else ()
            strange, have = sorted(set(study.parts) - set(names)), ", ".join(names) or "none"
            raise UnfitData(f"joint: {study.name}: no place {strange} of {study.channel}; it has {have}.")
        where = known[study.channel]
        questions.append((study, np.array([study.parts.get(name, 0.0) for name in where.names]), where))
    return spots, questions
