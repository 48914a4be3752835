"""Recency, frequency and monetary value of customers, scores and tiers from them.

The table of recency and frequency is also what the models of `lakehouse.science.value` are fitted on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lakehouse.science.propensity.unfit import UnfitData, numbers

MEASURES = ("recency_days", "frequency", "monetary")


def rfm(
    purchases: pd.DataFrame,
    *,
    as_of: pd.Timestamp | str,
    customer: str = "customer_id",
    at: str = "ordered_at",
    amount: str = "amount",
    unit_days: float = 1.0,
) -> pd.DataFrame:
    """One row per customer who bought on or before the day `as_of`; purchases of one day are one occasion.

    With days d₁ < … < dₙ and spending sⱼ per day (Fader, Hardie & Lee 2005, Marketing Science 24, §2 and
    Journal of Marketing Research 42):

    * recency_days = as_of − dₙ, tenure_days = as_of − d₁ (days, UTC)
    * frequency = n, monetary = Σ sⱼ, mean_value = monetary ÷ n
    * x = n − 1 repeat occasions, t_x = (dₙ − d₁) ÷ unit_days, T = (as_of − d₁) ÷ unit_days,
      zbar = mean of s₂…sₙ (0 without repeat)

    Args:
        purchases: one row per purchase; rows after `as_of` are ignored, the hour of day as well.
        as_of: the last day seen, inclusive.
        customer, at, amount: names of the columns.
        unit_days: length of the unit of t_x and T: 1 for days, 7 for weeks.

    Returns:
        Frame indexed by customer, sorted.

    Raises:
        UnfitData: a column is absent, a customer, time or amount is missing, or nobody bought by then.
    """
    absent = [name for name in (customer, at, amount) if name not in purchases.columns]
    if absent:
        raise UnfitData(f"purchases: column {absent[0]!r} is not among {list(purchases.columns)}")
    lines = pd.DataFrame(
        {
            "customer": purchases[customer].to_numpy(),
            "day": pd.to_datetime(purchases[at], utc=True).dt.tz_localize(None).dt.normalize().to_numpy(),
            "spent": pd.to_numeric(purchases[amount]).to_numpy(dtype=np.float64),
        }
    )
    if lines.isna().any().any():
        missing = {name: int(count) for name, count in lines.isna().sum().items() if count}
        raise UnfitData(f"purchases: missing values {missing}; leave purchases without customer, time or amount out")
    last_day = pd.Timestamp(as_of).tz_localize(None).normalize()
    lines = lines[lines.day <= last_day]
    if lines.empty:
        raise UnfitData(f"as_of {last_day.date()}: no purchase on or before it among {len(purchases)}")
    # amounts of a day in one order, so that the sum does not depend on the order of the rows
    days = lines.sort_values(["customer", "day", "spent"]).groupby(["customer", "day"], as_index=False)["spent"].sum()
    days["later"] = days["spent"].where(days["customer"].duplicated())
    by = days.groupby("customer")
    table = by.agg(
        first=("day", "min"),
        last=("day", "max"),
        frequency=("day", "size"),
        monetary=("spent", "sum"),
        zbar=("later", "mean"),
    )
    tenure = (last_day - table["first"]).dt.days
    return pd.DataFrame(
        {
            "recency_days": (last_day - table["last"]).dt.days,
            "tenure_days": tenure,
            "frequency": table["frequency"],
            "monetary": table["monetary"],
            "mean_value": table["monetary"] / table["frequency"],
            "x": table["frequency"] - 1,
            "t_x": (table["last"] - table["first"]).dt.days / unit_days,
            "T": tenure / unit_days,
            "zbar": table["zbar"].fillna(0.0),
        }
    ).rename_axis(customer)


def rfm_scores(table: pd.DataFrame, groups: int = 5, ties: Literal["together", "even"] = "together") -> pd.DataFrame:
    """Scores 1 (worst) to `groups` (best) for recency, frequency, monetary, and their text such as "543".

    Score = ⌈groups · (rank − ½) ÷ n⌉. Ties "together": the rank is the mean of equal values' ranks, so equal
    customers have equal scores, and groups differ in size. Ties "even": equal values are ordered by the
    other measures, then by the customer's key: groups of equal size (Hughes 1994, Strategic Database
    Marketing). Neither depends on the order of the rows.

    Args:
        table: frame indexed by customer with recency_days, frequency, monetary, as `rfm` gives it.

    Returns:
        Frame with columns r, f, m (integers) and rfm (text), the index of `table`.

    Raises:
        UnfitData: a measure is absent or missing, a customer occurs twice, fewer than 2 groups.
    """
    absent = [name for name in MEASURES if name not in table.columns]
    if absent or groups < 2 or table.index.has_duplicates:
        raise UnfitData(
            f"received {groups} groups, columns {list(table.columns)}, repeated customers: "
            f"{table.index.has_duplicates}; needed: at least 2 groups, the columns {MEASURES}, one row per customer"
        )
    worth = {name: numbers(table[name], name) * (-1.0 if name == "recency_days" else 1.0) for name in MEASURES}
    keys = np.argsort(np.argsort(table.index.astype(str).to_numpy(), kind="stable"), kind="stable")
    scores = {}
    for letter, name in zip("rfm", MEASURES, strict=True):
        if ties == "together":
            rank = pd.Series(worth[name]).rank(method="average").to_numpy()
        else:
            others = [worth[other] for other in MEASURES if other != name]
            rank = np.empty(len(table))
            rank[np.lexsort((keys, *others[::-1], worth[name]))] = np.arange(1, len(table) + 1)
        scores[letter] = np.ceil(groups * (rank - 0.5) / len(table)).astype(np.int64)
    result = pd.DataFrame(scores, index=table.index)
    result["rfm"] = result["r"].astype(str) + result["f"].astype(str) + result["m"].astype(str)
    return result


def value_tiers(
    value: pd.Series[Any],
    shares: Mapping[str, float] | None = None,
) -> pd.Series[Any]:
    """Customers by falling value in tiers of given shares; equal values by the customer's key.

    Args:
        value: indexed by customer, no missing value.
        shares: tier to share of customers, best first, together 1; unless told top 5 %, high 15 %,
            middle 30 %, low 50 %.

    Returns:
        Tier names as ordered categories, the index of `value`.

    Raises:
        UnfitData: shares do not add up to 1, values are missing, a customer occurs twice.
    """
    parts = dict(shares or {"top": 0.05, "high": 0.15, "middle": 0.30, "low": 0.50})
    if abs(sum(parts.values()) - 1) > 1e-9 or min(parts.values()) <= 0 or value.index.has_duplicates:
        raise UnfitData(f"shares {parts}: positive shares adding up to 1 and one row per customer are valid")
    keys = np.argsort(np.argsort(value.index.astype(str).to_numpy(), kind="stable"), kind="stable")
    place = np.empty(len(value))
    place[np.lexsort((keys, -numbers(value, "value")))] = (np.arange(len(value)) + 0.5) / len(value)
    tier = np.searchsorted(np.cumsum(list(parts.values()))[:-1], place, side="left")
    return _named(tier, list(parts), value.index)


def _named(codes: NDArray[np.int64], names: Sequence[str], index: pd.Index[Any]) -> pd.Series[Any]:
    return pd.Series(pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(names), ordered=True), index=index)
