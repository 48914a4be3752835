"""A universal holdout: customers no campaign may touch, and what all campaigns together are worth beside
them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import stats

from lakehouse.science.experiments.assignment import assign
from lakehouse.science.experiments.compare import compare_means
from lakehouse.science.experiments.sample_ratio import sample_ratio
from lakehouse.science.unfit import UnfitData


def hold_out(customers: Iterable[str], period: str, goal: float = 0.05) -> list[bool]:
    """Whether each customer is held out in a period such as "2026H1"; `goal` is the share to hold out.

    A new period draws anew, so nobody is left out for good. New customers get their place without moving
    others.
    """
    if not 0 < goal < 1:
        raise UnfitData(f"hold_out: goal = {goal}; give the share to hold out, such as 0.05.")
    shares = {"held out": goal, "reached": 1 - goal}
    return [arm == "held out" for arm in assign(customers, f"universal-holdout:{period}", shares)]


def incremental_value(values: pd.DataFrame, goal: float, *, level: float = 0.9, override: str | None = None) -> pd.DataFrame:
    """What reaching customers brought, month by month and so far.

    values: one row per customer and period, `customer`, `held_out` (bool), `period` (sortable), `value`,
    with zeros for customers who bought nothing. Per period: customers reached and held out, incremental
    value per customer and in all (× customers reached) with interval; `cumulative` with an interval that
    knows that the same customers come back (each customer's running sum is compared, not the sum of
    independent months). Withheld (error) if the shares of customers contradict the goal: see `sample_ratio`.
    """
    if missing := sorted({"customer", "held_out", "period", "value"} - set(values.columns)):
        raise UnfitData(f"incremental_value: lacks {missing}; it has {', '.join(values.columns)}.")
    wide = values.pivot_table(index="customer", columns="period", values="value", aggfunc="sum")
    wide = wide.fillna(0.0)
    held = values.groupby("customer")["held_out"].first().reindex(wide.index).to_numpy(dtype=np.bool_)
    counts = {"held out": int(held.sum()), "reached": int((~held).sum())}
    sample_ratio(counts, {"held out": goal, "reached": 1 - goal}, override).require()
    reach = float(stats.norm.isf((1 - level) / 2))
    rows = []
    for monthly, running in zip(wide.to_numpy(dtype=np.float64).T, wide.cumsum(axis=1).to_numpy(dtype=np.float64).T, strict=True):
        now = compare_means(monthly[held], monthly[~held], level=level)
        far = compare_means(running[held], running[~held], level=level)
        rows.append(
            {
                "held_out": counts["held out"],
                "reached": counts["reached"],
                "per_customer": now.effect,
                "incremental": now.effect * counts["reached"],
                "low": (now.effect - reach * now.error) * counts["reached"],
                "high": (now.effect + reach * now.error) * counts["reached"],
                "cumulative": far.effect * counts["reached"],
                "cumulative_low": (far.effect - reach * far.error) * counts["reached"],
                "cumulative_high": (far.effect + reach * far.error) * counts["reached"],
            }
        )
    return pd.DataFrame(rows, index=wide.columns).rename_axis("period").reset_index()


def smallest_goal(deviation: float, effect: float, customers: int, *, level: float = 0.9, power: float = 0.8) -> float:
    """The smallest share to hold out that sees `effect` per customer, given the KPI's `deviation` (same
    unit).

    The smaller root of h(N − h) ≥ N·(z_α + z_β)²σ²/effect², two-sided. Errors when even half is too few.
    """
    reach = float(stats.norm.isf((1 - level) / 2) + stats.norm.ppf(power)) * deviation / effect
    inside = customers**2 / 4 - customers * reach**2
    if inside < 0:
        raise UnfitData(
            f"smallest_goal: even half of {customers:,} customers held out cannot see {effect:g}; "
            "wait longer, use a less noisy KPI, or accept a larger effect."
        )
    return float((customers / 2 - math.sqrt(inside)) / customers)
