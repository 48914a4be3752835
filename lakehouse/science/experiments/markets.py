"""Which markets to test in, and how small an effect a test there can see: rehearsed on the past."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lakehouse.science.experiments.geo import conformal_p
from lakehouse.science.experiments.synthetic_control import synthetic_control
from lakehouse.science.unfit import UnfitData


def candidates(panel: pd.DataFrame, size: int, exclude: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """Sets of `size` markets: every market with those that move most like it (correlation of the KPI).

    panel: one row per period before the test, one column per market. exclude: markets that must stay
    untouched.
    """
    allowed = [market for market in panel.columns if market not in exclude]
    if not 1 <= size < len(allowed):
        raise UnfitData(f"candidates: size = {size} of {len(allowed)} markets; leave some as donors.")
    alike = panel[allowed].astype(float).corr().to_numpy().copy()
    np.fill_diagonal(alike, np.inf)
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, :size]
    return sorted({tuple(sorted(allowed[place] for place in row)) for row in nearest})


def power_curve(
    panel: pd.DataFrame,
    treated: Sequence[str],
    length: int,
    effects: Sequence[float],
    *,
    windows: int = 5,
    alpha: float = 0.10,
) -> pd.DataFrame:
    """Rehearse a test of `length` periods in the last `windows` placebo positions of the past.

    effects: relative, 0.05 adds 5 % to the treated markets during the window. One row per effect: `power`
    (share of windows in which it is seen), `estimated` (mean relative estimate), `bias` (estimated − effect).
    """
    periods = len(panel)
    if periods - length - windows < 2 * length:
        raise UnfitData(
            f"power_curve: {periods} periods for tests of {length} in {windows} windows; give at least {3 * length + windows} periods."
        )
    values = panel.astype(float)
    y = values[list(treated)].mean(axis=1).to_numpy(dtype=np.float64)
    x = values.drop(columns=list(treated)).to_numpy(dtype=np.float64)
    rows = []
    for effect in effects:
        seen, found = [], []
        for back in range(windows):
            end = periods - back
            begin = end - length
            rehearsed = y[:end].copy()
            rehearsed[begin:] *= 1 + effect
            fit = synthetic_control(rehearsed, x[:end], begin, demean=True)
            found.append(float(fit.gap[begin:].sum() / fit.counterfactual[begin:].sum()))
            seen.append(conformal_p(rehearsed, x[:end], begin) <= alpha)
        rows.append((effect, float(np.mean(seen)), float(np.mean(found)), float(np.mean(found)) - effect))
    return pd.DataFrame(rows, columns=["effect", "power", "estimated", "bias"])


def detectable_effect(curve: pd.DataFrame, power: float = 0.8) -> float:
    """The smallest rehearsed effect from which on power never falls below `power`; missing if there is
    none."""
    ordered = curve.sort_values("effect")
    enough = ordered["power"].to_numpy() >= power
    lasting = np.logical_and.accumulate(enough[::-1])[::-1]
    return float(ordered["effect"].to_numpy()[lasting][0]) if lasting.any() else float("nan")


def select_markets(
    panel: pd.DataFrame,
    sizes: Sequence[int],
    length: int,
    effects: Sequence[float] = (0.0, 0.02, 0.05, 0.10, 0.15),
    *,
    exclude: Sequence[str] = (),
    windows: int = 3,
    alpha: float = 0.10,
    power: float = 0.8,
) -> pd.DataFrame:
    """Every candidate set rehearsed, the best first.

    `markets`, `share` of the KPI they hold, `detectable` effect, `false_alarms` (power at zero effect, if
    rehearsed), `bias` (largest absolute), `misfit` before the test relative to the level. Ordered by
    detectable effect, then
    absolute bias: a set that sees nothing comes last.
    """
    total = float(panel.to_numpy(dtype=np.float64).sum())
    rows = []
    for size in sizes:
        for markets in candidates(panel, size, exclude):
            curve = power_curve(panel, markets, length, effects, windows=windows, alpha=alpha)
            y = panel[list(markets)].astype(float).mean(axis=1).to_numpy(dtype=np.float64)
            x = panel.drop(columns=list(markets)).to_numpy(dtype=np.float64)
            misfit = synthetic_control(y, x, len(y), demean=True).misfit / float(y.mean())
            idle = curve.loc[curve["effect"] == 0, "power"]
            rows.append(
                {
                    "markets": markets,
                    "share": float(panel[list(markets)].to_numpy(dtype=np.float64).sum()) / total,
                    "detectable": detectable_effect(curve[curve["effect"] > 0], power),
                    "false_alarms": float(idle.iloc[0]) if len(idle) else float("nan"),
                    "bias": float(curve["bias"].abs().max()),
                    "misfit": misfit,
                }
            )
    return pd.DataFrame(rows).sort_values(["detectable", "bias"], na_position="last", ignore_index=True)
