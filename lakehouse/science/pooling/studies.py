"""Before pooling: are there enough studies, are cells of one test counted once, and what do they look
like?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from lakehouse.science.pooling.random_effects import Floats, Pooled
from lakehouse.science.unfit import UnfitData

Kind = Literal["lift", "ab"]
NEEDED: dict[str, int] = {"lift": 10, "ab": 15}


def require_enough(kind: Kind, count: int) -> None:
    """Raise when fewer than 10 lift or 15 A/B studies are there, saying how many are missing."""
    if kind not in NEEDED:
        raise UnfitData(f"require_enough: kind = {kind!r}; choose {' or '.join(NEEDED)}.")
    if count < NEEDED[kind]:
        raise UnfitData(
            f"{count} {kind} studies: pooling asks for {NEEDED[kind]}, {NEEDED[kind] - count} are missing. "
            "Run more tests, or show the studies one by one."
        )


def combine_cells(effects: Floats, covariance: Floats) -> tuple[float, float]:
    """(effect, variance) of one test with several cells that share a control, so that it counts as one study.

    effects (C,), covariance (C, C): diagonal = each cell's variance, off-diagonal = the control's variance.
    Generalised least squares: (1ᵀΣ⁻¹y)/(1ᵀΣ⁻¹1). Gleser & Olkin (2009), Handbook of Research Synthesis, ch.
    19.
    """
    if covariance.shape != (len(effects), len(effects)):
        raise UnfitData(f"combine_cells: {len(effects)} effects, covariance {covariance.shape}; make it square.")
    solved = np.linalg.solve(covariance, np.ones(len(effects)))
    return float(solved @ effects / solved.sum()), float(1 / solved.sum())


def cells_ratio(control: tuple[float, float], events: Floats, units: Floats) -> tuple[float, float]:
    """(effect, variance): the log risk ratio of a test with C ≥ 1 treated cells and one control, counted as one study.

    control: its (events, units); events, units (C,). Half an event is added to every cell of a test in which any is zero. With one
    cell this is `log_risk_ratio`.
    """
    won, among = np.append(events, control[0]).astype(np.float64), np.append(units, control[1]).astype(np.float64)
    if not ((won >= 0) & (won <= among) & (among > 0)).all() or won.sum() == 0:
        raise UnfitData(f"cells_ratio: events {won.tolist()} of units {among.tolist()}; give 0 ≤ events ≤ units, and one event at least.")
    half = 0.5 if (won == 0).any() or (won == among).any() else 0.0
    won, among = won + half, among + 2 * half
    risk, variance = np.log(won / among), 1 / won - 1 / among
    return combine_cells(risk[:-1] - risk[-1], shared_control(variance[:-1], float(variance[-1])))


def shared_control(cell_variances: Floats, control_variance: float) -> Floats:
    """(C, C) covariance of treatment-minus-control effects: cells differ by their own noise, share the
    control's."""
    return np.diag(cell_variances) + control_variance


def describe(effects: Floats) -> dict[str, float]:
    """For studies without usable errors: count, median, quartiles, share above zero. No pooling is
    implied."""
    low, middle, high = np.quantile(effects, [0.25, 0.5, 0.75])
    return {
        "studies": float(len(effects)),
        "median": float(middle),
        "lower_quartile": float(low),
        "upper_quartile": float(high),
        "share_above_zero": float((effects > 0).mean()),
    }


def forest(names: Sequence[str], effects: Floats, variances: Floats, pooled: Pooled) -> pd.DataFrame:
    """The rows of a forest plot: every study with its interval and weight, then the mean and the next
    study."""
    reach = float(stats.norm.isf((1 - pooled.level) / 2)) * np.sqrt(variances)
    studies = pd.DataFrame(
        {
            "study": list(names),
            "effect": effects,
            "low": effects - reach,
            "high": effects + reach,
            "weight": pooled.weights,
            "kind": "study",
        }
    )
    summary = pd.DataFrame(
        [
            ("All studies", pooled.mean, pooled.low, pooled.high, 1.0, "mean"),
            ("A further study", pooled.mean, pooled.next_low, pooled.next_high, np.nan, "prediction"),
        ],
        columns=studies.columns,
    )
    return pd.concat([studies, summary], ignore_index=True)
