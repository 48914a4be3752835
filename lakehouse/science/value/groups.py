"""One model per segment or channel, thin ones held near all customers by as much as the groups themselves agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lakehouse.science.propensity.unfit import UnfitData
from lakehouse.science.value.estimation import Estimate, Prior
from lakehouse.science.value.histories import Histories

Fit = Callable[[Histories, Prior | None], tuple[Any, Estimate]]
WIDEST, NARROWEST = 2.0, 0.05


@dataclass(frozen=True)
class Pooled:
    """The model of all, one per group, and the spread of the groups' log parameters that the data show."""

    whole: Any
    groups: Mapping[str, Any]
    estimates: Mapping[str, Estimate]
    spread: float


def fit_groups(fit: Fit, histories: Mapping[str, Histories]) -> Pooled:
    """Fit all customers together, then each group with a prior centred there: empirical Bayes (Efron & Morris 1975, JASA 70).

    The prior's spread τ is where the mean of (group − all)² of log parameters, each weighed by its own precision, is
    what sampling and τ together give (DerSimonian & Laird 1986, over all parameters at once), within .05 and 2. Groups too
    thin to be fitted alone tell nothing of τ and are fitted with it.

    Args:
        fit: `fit_pareto_nbd`, `fit_bg_nbd`.
        histories: by group, two or more.

    Raises:
        UnfitData: fewer than two groups, or all customers together do not tell the parameters apart.
    """
    if len(histories) < 2:
        raise UnfitData(f"groups: received {list(histories)}; two or more are needed to pool")
    parts = list(histories.values())
    together = Histories(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("x", "t_x", "T", "customers")))
    whole, estimate = fit(together, None)
    spread = _spread(fit, histories, estimate)
    fitted = {name: fit(seen, Prior.pooled(estimate, spread)) for name, seen in histories.items()}
    return Pooled(whole, {n: m for n, (m, _) in fitted.items()}, {n: e for n, (_, e) in fitted.items()}, spread)


def _spread(fit: Fit, histories: Mapping[str, Histories], whole: Estimate) -> float:
    centre = np.log(list(whole.values.values()))
    squares, variances = [], []
    for seen in histories.values():
        try:
            _, alone = fit(seen, None)
        except UnfitData:  # too thin to stand alone
            continue
        squares.append((np.log(list(alone.values.values())) - centre) ** 2)
        variances.append(np.diag(alone.covariance))
    if not squares:
        return NARROWEST
    off, noise = np.concatenate(squares), np.concatenate(variances)
    weight = 1 / noise
    excess = float(weight @ (off - noise)) / float(weight.sum())
    return float(np.clip(np.sqrt(max(excess, 0.0)), NARROWEST, WIDEST))
