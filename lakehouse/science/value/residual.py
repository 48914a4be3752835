"""From expected purchases to money: residual value, its check by decile and beside a plain baseline, payback."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lakehouse.science.propensity.evaluation import groups_by_size
from lakehouse.science.propensity.unfit import UnfitData, Vector, numbers
from lakehouse.science.value.histories import Histories

Expected = Callable[[Histories, float], Vector]


def discounted_purchases(expected: Expected, seen: Histories, horizon: float, rate: float, step: float = 1.0) -> Vector:
    """Purchases expected in (T, T + horizon], those of each step discounted to T.

    Σₖ [E(tₖ) − E(tₖ₋₁)] · e^(−rate · (tₖ₋₁ + tₖ)/2) with E of any model (Fader & Hardie's DET, finite horizon).

    Args:
        expected: `model.expected`.
        seen: histories, one row per customer.
        horizon, step: in units of T; rate: continuous discount per unit of T.

    Raises:
        UnfitData: horizon or step not above 0, or a negative rate.
    """
    if horizon <= 0 or step <= 0 or rate < 0:
        raise UnfitData(f"received horizon={horizon}, step={step}, rate={rate}; > 0, > 0 and ≥ 0 are valid")
    ends = np.append(np.arange(step, horizon, step), horizon)
    total, before, last = np.zeros(len(seen.x)), np.zeros(len(seen.x)), 0.0
    for end in ends:
        until = expected(seen, float(end))
        total += (until - before) * np.exp(-rate * (last + end) / 2)
        before, last = until, float(end)
    return total


def residual_value(purchases: ArrayLike, spend: ArrayLike, margin: float = 1.0) -> Vector:
    """Money still to come: discounted purchases × expected spending per purchase × margin."""
    expected = numbers(purchases, "purchases")
    return expected * numbers(spend, "spend", len(expected)) * margin


def by_decile(predicted: ArrayLike, happened: ArrayLike, groups: int = 10) -> pd.DataFrame:
    """Groups of rising prediction (equal ones together): customers, predicted and happened (means), their ratio."""
    guess = numbers(predicted, "predicted")
    truth = numbers(happened, "happened", len(guess))
    table = pd.DataFrame(
        [(len(part), guess[part].mean(), truth[part].mean()) for part in groups_by_size(guess, groups)],
        columns=["customers", "predicted", "happened"],
    )
    table["ratio"] = table["happened"] / table["predicted"]
    return table


def tier_averages(
    x: ArrayLike, recency: ArrayLike, happened: ArrayLike, new_x: ArrayLike, new_recency: ArrayLike, tiers: int = 5
) -> Vector:
    """The baseline a model must beat: the mean of what happened in each cell of recency and frequency tiers.

    Cell edges are quantiles of the earlier customers; an empty cell gives the mean of all.

    Args:
        x, recency, happened: earlier customers, and what they did after.
        new_x, new_recency: the customers to predict, measured in the same way.
    """
    count, late = numbers(x, "x"), numbers(recency, "recency")
    done = numbers(happened, "happened", len(count))
    shares = np.arange(1, tiers) / tiers
    edges_x, edges_late = np.unique(np.quantile(count, shares)), np.unique(np.quantile(late, shares))

    def cell(a: Vector, b: Vector) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.searchsorted(edges_x, a, "right") * tiers + np.searchsorted(edges_late, b, "right")

    cells = cell(count, late)
    size = np.bincount(cells, minlength=tiers * tiers)
    total = np.bincount(cells, weights=done, minlength=tiers * tiers)
    mean = np.where(size > 0, total / np.maximum(size, 1), done.mean())
    return np.asarray(mean[cell(numbers(new_x, "new_x"), numbers(new_recency, "new_recency"))])


def payback(spend: float, customers: int, margin_by_period: ArrayLike) -> tuple[float, float | None]:
    """Acquisition cost per customer, and the period in which the cohort's margin has repaid it.

    Args:
        spend: spent on winning the cohort, in money.
        customers: won by it.
        margin_by_period: margin of the whole cohort in each period since, in money.

    Returns:
        (spend ÷ customers, periods until the running margin reaches spend, linear within the period, or None).

    Raises:
        UnfitData: no customers.
    """
    if customers < 1:
        raise UnfitData(f"customers: received {customers}; a channel that won nobody has no cost per customer")
    running = np.append(0.0, np.cumsum(numbers(margin_by_period, "margin_by_period")))
    reached = np.flatnonzero(running >= spend)
    if len(reached) == 0:
        return spend / customers, None
    k = int(reached[0])
    if k == 0:
        return spend / customers, 0.0
    return spend / customers, float(k - 1 + (spend - running[k - 1]) / (running[k] - running[k - 1]))
