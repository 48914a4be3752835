"""Whom campaigns and offers reach, by protected attribute, from counts: small groups joined, many comparisons told from chance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lakehouse.science.fairness.gaps import LEAST, reach_of_counts

COLUMNS = ["attribute", "group", "customers", "reached", "share", "ratio", "low", "high", "disparate"]


def campaign_reach(counts: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Share of each group that one campaign reached, and its ratio to the best reached group of the attribute (`reach_of_counts`).

    Groups below 30 customers are one, "others"; still below, they belong to the largest. An attribute with one group left, or none of
    whom was reached, has nothing to compare and no rows. The level is divided among all pairs of groups (Bonferroni), since the best
    group is chosen for being best and several attributes are looked at: with equal chances, hardly a campaign in twenty shows a
    "disparate" group anywhere.

    Args:
        counts: attribute, group, customers and reached (of them), one row per group.
        level: of all intervals together.

    Returns:
        Frame with attribute, group, customers, reached, share, ratio, low, high and disparate (the whole interval below four fifths).
    """
    joined = {str(name): with_others_joined(part) for name, part in counts.groupby("attribute", sort=True)}
    told = {name: part for name, part in joined.items() if len(part) > 1 and part["reached"].sum() > 0}
    pairs = sum(len(part) * (len(part) - 1) // 2 for part in told.values())
    found = []
    for name, part in told.items():
        made = reach_of_counts(part["customers"], part["reached"], 1 - (1 - level) / pairs)
        found.append(made.rename(columns={"rows": "customers", "reached": "share"}).assign(attribute=name, reached=part["reached"]))
    whole = pd.concat(found).reset_index(names="group") if found else pd.DataFrame(columns=COLUMNS)
    return whole[COLUMNS]


def with_others_joined(part: pd.DataFrame) -> pd.DataFrame:
    """Customers and reached by group, groups below 30 customers joined as `with_others` joins rows."""
    groups = part.groupby("group")[["customers", "reached"]].sum()
    small = groups["customers"] < LEAST
    groups = groups.groupby(np.where(small, "others", groups.index.astype(str))).sum()
    if len(groups) > 1 and (groups["customers"] < LEAST).any():
        largest = str(groups.sort_index()["customers"].idxmax())
        groups = groups.groupby(np.where(groups["customers"] < LEAST, largest, groups.index.astype(str))).sum()
    return groups
