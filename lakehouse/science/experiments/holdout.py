"""A universal holdout: customers no campaign may touch, and what all campaigns together are worth beside
them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from lakehouse.science.experiments.assignment import assign
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
    wide = values.pivot_table(index="customer", columns="period", values="value", aggfunc="sum").fillna(0.0)
    held = values.groupby("customer")["held_out"].first().reindex(wide.index).to_numpy(dtype=np.bool_)
    figures = wide.to_numpy(dtype=np.float64)
    known: dict[str, Any] = {"period": wide.columns}
    for arm, chosen in (("held_out", figures[held]), ("reached", figures[~held])):
        running = chosen.cumsum(axis=1)
        known |= {arm: len(chosen), f"{arm}_sum": chosen.sum(axis=0), f"{arm}_squares": (chosen**2).sum(axis=0)}
        known |= {f"{arm}_running": running.sum(axis=0), f"{arm}_running_squares": (running**2).sum(axis=0)}
    return value_of_sums(pd.DataFrame(known), goal, level=level, override=override)


def value_of_sums(sums: pd.DataFrame, goal: float, *, level: float = 0.9, override: str | None = None) -> pd.DataFrame:
    """The same from sums alone, for customers too many for one machine.

    sums: one row per `period`, in order; per arm (`held_out`, `reached`) the number of customers, and over them `…_sum` and `…_squares`
    of the period's values, `…_running` and `…_running_squares` of each customer's sum up to the period's end. Standard error of a
    difference of means: √(s²/n + s²/n), variances unequal (Welch 1947); the normal law's quantile, because arms are large.
    """
    last = sums.iloc[-1]
    counts = {"held out": int(last["held_out"]), "reached": int(last["reached"])}
    if min(counts.values()) < 2:
        raise UnfitData(f"incremental_value: customers by arm are {counts}; at least two are needed in each.")
    sample_ratio(counts, {"held out": goal, "reached": 1 - goal}, override).require()
    reach = float(stats.norm.isf((1 - level) / 2))
    found = {"period": sums["period"].to_numpy(), "held_out": sums["held_out"].to_numpy(), "reached": sums["reached"].to_numpy()}
    for name, total, squares in (("incremental", "sum", "squares"), ("cumulative", "running", "running_squares")):
        means, variances = [], []
        for arm in ("held_out", "reached"):
            n = np.maximum(sums[arm].to_numpy(dtype=np.float64), 2)
            mean = sums[f"{arm}_{total}"].to_numpy(dtype=np.float64) / n
            spread = np.maximum(sums[f"{arm}_{squares}"].to_numpy(dtype=np.float64) - n * mean**2, 0.0)
            means.append(mean)
            variances.append(spread / (n - 1) / n)
        effect, error = means[1] - means[0], np.sqrt(variances[0] + variances[1])
        reached = sums["reached"].to_numpy(dtype=np.float64)
        if name == "incremental":
            found["per_customer"] = effect
        ends = {"low": effect - reach * error, "high": effect + reach * error}
        found[name] = effect * reached
        found |= {end if name == "incremental" else f"{name}_{end}": value * reached for end, value in ends.items()}
    return pd.DataFrame(found)


def worth_of_campaign(grown: pd.DataFrame) -> pd.DataFrame:
    """A campaign's months as a table keeps them: `value_of_sums` with `campaign`, `sample_ratio_p` and `sample_ratio` beside.

    grown: per `period` what it adds, missing where nothing: customers drawn by arm (`held_out`, `reached`) with their mean `chance`
    to be reached, and `…_sum`, `…_squares`, `…_grown` (Σ (R² − R′²) over customers' running sums after and before the period, whose
    own running sum is that of R²). Figures are missing where arms are too small or contradict the lot.
    """
    rows = grown.sort_values("period", ignore_index=True)
    chance = float(np.average(rows["chance"].fillna(0.5), weights=rows[["held_out", "reached"]].sum(axis=1) + 1e-9))
    rows = rows.fillna({name: 0 for name in rows.columns if name not in ("campaign", "period", "chance")})
    for arm in ("held_out", "reached"):
        rows[arm] = rows[arm].cumsum().astype("int64")
        rows[f"{arm}_running"], rows[f"{arm}_running_squares"] = rows[f"{arm}_sum"].cumsum(), rows[f"{arm}_grown"].cumsum()
    counts = {"held out": int(rows["held_out"].iloc[-1]), "reached": int(rows["reached"].iloc[-1])}
    ratio = sample_ratio(counts, {"held out": 1 - chance, "reached": chance}) if 0 < chance < 1 and max(counts.values()) else None
    columns = ["per_customer", "incremental", "low", "high", "cumulative", "cumulative_low", "cumulative_high"]
    if ratio is None or ratio.state == "blocked" or min(counts.values()) < 2:
        found = rows[["period", "held_out", "reached"]].assign(**dict.fromkeys(columns, np.nan))
    else:
        found = value_of_sums(rows, 1 - chance)
    found.insert(0, "campaign", rows["campaign"].iloc[0])
    return found.assign(sample_ratio_p=ratio.p_value if ratio else np.nan, sample_ratio=ratio.state if ratio else None)


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
