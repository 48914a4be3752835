"""Every method side by side: conversions, value, cost and error against a known truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd

from lakehouse.science.attribution import rules
from lakehouse.science.attribution.logistic import logistic
from lakehouse.science.attribution.markov import markov
from lakehouse.science.attribution.paths import Floats, Paths
from lakehouse.science.attribution.shapley import shapley
from lakehouse.science.unfit import UnfitData

Method = Callable[[Paths, bool], Floats]


def _by_rule(name: str, paths: Paths, value: bool) -> Floats:
    return rules.credit(paths, rules.RULES[name](paths), value=value)


def _by_markov(order: int, paths: Paths, value: bool) -> Floats:
    return markov(paths, order, value=value)


def _by_shapley(paths: Paths, value: bool) -> Floats:
    return shapley(paths, value=value).credit


def _by_logistic(paths: Paths, value: bool) -> Floats:
    won = logistic(paths).credit
    total = won.sum()
    return won / total * paths.value.sum() if value and total > 0 else won


METHODS: dict[str, Method] = {
    **{name: partial(_by_rule, name) for name in rules.RULES},
    **{f"markov_{order}": partial(_by_markov, order) for order in (1, 2, 3)},
    "shapley": _by_shapley,
    "logistic": _by_logistic,
}


def attribute(paths: Paths, methods: list[str] | None = None) -> pd.DataFrame:
    """One row per method and channel: `method`, `channel`, `conversions`, `value`, `share` of conversions."""
    chosen = list(METHODS) if methods is None else methods
    unknown = [name for name in chosen if name not in METHODS]
    if unknown:
        raise UnfitData(f"attribute: no method {unknown}. Valid: {', '.join(METHODS)}.")
    parts = []
    for name in chosen:
        won, worth = METHODS[name](paths, False), METHODS[name](paths, True)
        part = pd.DataFrame({"channel": paths.channels, "conversions": won, "value": worth})
        part.insert(0, "method", name)
        part["share"] = won / won.sum() if won.sum() > 0 else 0.0
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def with_cost(credit: pd.DataFrame, spend: Mapping[str, float]) -> pd.DataFrame:
    """Add `cost`, `cost_per_conversion` and `return_on_cost` (value ÷ cost), in the currency of `spend`.

    A channel without known spend keeps them missing: unknown is not free.
    """
    cost = credit["channel"].map(dict(spend)).astype(float)
    won = credit["conversions"].where(credit["conversions"] > 0)
    return credit.assign(
        cost=cost,
        cost_per_conversion=cost / won,
        return_on_cost=credit["value"] / cost.where(cost > 0),
    )


def against_truth(credit: pd.DataFrame, truth: Mapping[str, float]) -> pd.DataFrame:
    """Per method, how far its conversions are from the truly incremental ones.

    truth: incremental conversions per channel. `share_error` is half the sum of absolute differences of
    shares (0 right, 1 all misplaced); `total_ratio` is credited ÷ truly incremental: attribution hands out
    every conversion, also those that would have come anyway.
    """
    real = pd.Series(dict(truth), dtype=float)
    rows = []
    for name, part in credit.groupby("method", sort=False):
        given = part.set_index("channel")["conversions"].reindex(real.index).fillna(0.0)
        distance = (given / given.sum() - real / real.sum()).abs().sum() / 2
        rows.append({"method": name, "share_error": distance, "total_ratio": float(given.sum() / real.sum())})
    return pd.DataFrame(rows).sort_values("share_error", ignore_index=True)
