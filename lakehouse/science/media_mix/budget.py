"""Where to put the money: the whole of it, within bounds, checked against a grid, with what the present split leaves."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize
from scipy.interpolate import PchipInterpolator

from lakehouse.science.media_mix.mix import MediaMix
from lakehouse.science.media_mix.plan import Budget, Responses, cells, laid_out, responses
from lakehouse.science.media_mix.response import baseline, contributions
from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]
GRID_CELLS, GRID_STEPS = 4, 40


@dataclass(frozen=True)
class Allocation:
    """table: channel, geo, recent, spend, bounds (least, most), and with interval: response, extra (response less what the recent split
    brings), marginal (target per further unit of spend), in_flight (what past advertising still brings, in no response).

    response: of all together, mean, low, high (90 %). left: gained over the recent split of the same total (mean, low, high),
    the money left on the table. checked: best value on the grid ÷ this one's, missing beyond four amounts to decide.
    """

    table: pd.DataFrame
    total: float
    response: tuple[float, float, float]
    left: tuple[float, float, float]
    checked: float | None


def fit_within(wished: Floats, least: Floats, most: Floats, total: float) -> Floats:
    """The amounts nearest to `wished` within bounds that sum to total: clip(wished + shift), shift by bisection."""
    if most.sum() - total <= 1e-9 * total:
        return most.copy()
    if total - least.sum() <= 1e-9 * total:
        return least.copy()
    span = float(np.abs(wished).max() + most.max() + total + 1)
    shift = optimize.brentq(lambda move: float(np.clip(wished + move, least, most).sum()) - total, -span, span, xtol=1e-12 * span)
    placed = np.clip(wished + shift, least, most)
    free = (placed > least) & (placed < most)
    if free.any():
        placed[free] += (total - placed.sum()) / free.sum()
    return np.clip(placed, least, most)


class _Goal:
    """The value of a split and its slope: mean, or a quantile over draws."""

    def __init__(self, found: Responses, risk: float | None) -> None:
        self.risk = risk
        drawn = found.drawn if risk is not None else found.drawn.mean(axis=2, keepdims=True)
        self.curves = [PchipInterpolator(found.grid[:, i], drawn[:, i], axis=0) for i in range(len(found.cells))]
        self.slopes = [curve.derivative() for curve in self.curves]

    def total(self, amounts: Floats) -> Floats:
        """(S,) summed over cells."""
        return np.asarray(sum(curve(amount) for curve, amount in zip(self.curves, amounts, strict=True)), dtype=np.float64)

    def value(self, amounts: Floats) -> float:
        """What is maximised."""
        drawn = self.total(amounts)
        return float(drawn.mean() if self.risk is None else np.quantile(drawn, self.risk))

    def slope(self, amounts: Floats) -> Floats:
        """(cells,) its derivative; of a quantile: the mean over the twentieth of draws nearest to it."""
        each = np.stack([slope(amount) for slope, amount in zip(self.slopes, amounts, strict=True)])
        if self.risk is None:
            return np.asarray(each.mean(axis=1), dtype=np.float64)
        drawn = self.total(amounts)
        near = np.argsort(np.abs(drawn - np.quantile(drawn, self.risk)))[: max(3, len(drawn) // 20)]
        return np.asarray(each[:, near].mean(axis=1), dtype=np.float64)


def _climb(goal: _Goal, start: Floats, least: Floats, most: Floats, total: float) -> Floats:
    unit = total
    found = optimize.minimize(
        lambda x: -goal.value(np.clip(x * unit, least, most)),
        start / unit,
        jac=lambda x: -goal.slope(np.clip(x * unit, least, most)) * unit,
        bounds=list(zip(least / unit, most / unit, strict=True)),
        constraints=[{"type": "eq", "fun": lambda x: x.sum() - 1, "jac": lambda x: np.ones_like(x)}],
        method="SLSQP",
        options={"maxiter": 200, "ftol": 1e-10 * max(1.0, abs(goal.value(start)))},
    )
    climbed = fit_within(found.x * unit, least, most, total) if np.isfinite(found.x).all() else start
    return climbed if goal.value(climbed) >= goal.value(start) else start


def _grid(goal: _Goal, least: Floats, most: Floats, total: float) -> Floats | None:
    """The best of all splits in steps of a fortieth of what is free, for up to four free amounts."""
    free = np.flatnonzero(most > least)
    if not 2 <= len(free) <= GRID_CELLS:
        return None
    spare = total - least.sum()
    best, value = None, -np.inf
    table = [[goal.curves[i](least[i] + spare * k / GRID_STEPS) for k in range(GRID_STEPS + 1)] for i in free]
    fits = [[least[i] + spare * k / GRID_STEPS <= most[i] + 1e-9 for k in range(GRID_STEPS + 1)] for i in free]
    for steps in itertools.product(range(GRID_STEPS + 1), repeat=len(free) - 1):
        rest = GRID_STEPS - sum(steps)
        if rest < 0 or not all(fits[i][k] for i, k in enumerate((*steps, rest))):
            continue
        drawn = sum(table[i][k] for i, k in enumerate((*steps, rest)))
        here = float(drawn.mean() if goal.risk is None else np.quantile(drawn, goal.risk))
        if here > value:
            best, value = (*steps, rest), here
    if best is None:
        return None
    split = least.copy()
    split[free] += spare * np.array(best) / GRID_STEPS
    return split


def allocate(mix: MediaMix, budget: Budget, *, starts: int = 6, seed: int = 0, found: Responses | None = None) -> Allocation:
    """The best split found from several starts (recent, even, by steepest return, random ones), and by the grid.

    The total is spent in full. S-shaped curves have several peaks: that is why there are many starts and a grid.
    """
    found = found or responses(mix, budget)
    goal = _Goal(found, budget.risk)
    least, most = (np.array([getattr(c, side) for c in found.cells]) for side in ("least", "most"))
    recent = np.array([c.recent for c in found.cells])
    random = np.random.default_rng(seed)
    even = np.full(len(recent), budget.total / len(recent))
    present = fit_within(recent * budget.total / max(recent.sum(), 1e-12), least, most, budget.total)
    tries = [present, fit_within(even, least, most, budget.total), _steepest(goal, least, most, budget.total)]
    tries += [fit_within(budget.total * random.dirichlet(np.ones(len(recent))), least, most, budget.total) for _ in range(starts)]
    best = max((_climb(goal, start, least, most, budget.total) for start in tries), key=goal.value)
    grid, checked = _grid(goal, least, most, budget.total), None
    if grid is not None:
        best = max(best, _climb(goal, grid, least, most, budget.total), key=goal.value)
        checked = goal.value(grid) / goal.value(best)
    return _told(found, best, present, checked)


def _steepest(goal: _Goal, least: Floats, most: Floats, total: float, steps: int = 100) -> Floats:
    """Small amounts, each to where it brings most per unit over a next stretch of any length."""
    split, step = least.copy(), (total - least.sum()) / steps
    if step <= 0:
        return split
    left = steps
    while left:
        rates = [(-np.inf, 1)] * len(split)
        for i in range(len(split)):
            room = int((most[i] - split[i]) / step + 1e-9)
            for ahead in {1, 2, 4, 8, 16, 32} & set(range(1, min(left, room) + 1)):
                gain = float((goal.curves[i](split[i] + ahead * step) - goal.curves[i](split[i])).mean()) / ahead
                rates[i] = max(rates[i], (gain, ahead))
        to = int(np.argmax([rate for rate, _ in rates]))
        if not np.isfinite(rates[to][0]):
            return fit_within(split, least, most, total)
        split[to] += rates[to][1] * step
        left -= rates[to][1]
    return fit_within(split, least, most, total)


def _three(drawn: Floats) -> tuple[float, float, float]:
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(drawn.mean()), float(low), float(high)


def _told(found: Responses, best: Floats, present: Floats, checked: float | None) -> Allocation:
    curves = found.curves()
    drawn = np.stack([curve(amount) for curve, amount in zip(curves, best, strict=True)])
    before = np.stack([curve(amount) for curve, amount in zip(curves, present, strict=True)])
    slopes = np.stack([curve.derivative()(amount) for curve, amount in zip(curves, best, strict=True)])
    table = pd.DataFrame([vars(cell) for cell in found.cells])[["channel", "geo", "recent", "least", "most"]].assign(spend=best)
    for name, draws in (("response", drawn), ("extra", drawn - before), ("marginal", slopes), ("in_flight", found.in_flight)):
        table[[name, f"{name}_low", f"{name}_high"]] = [_three(one) for one in draws]
    whole = drawn.sum(axis=0)
    return Allocation(table, float(best.sum()), _three(whole), _three(whole - before.sum(axis=0)), checked)


def largest_total(mix: MediaMix, budget: Budget, roas: float, steps: int = 12) -> Allocation:
    """The best split of the largest total whose mean response ÷ spend still reaches `roas`. budget.total is the upper limit."""
    found = responses(mix, budget)
    low = sum(c.least for c in cells(mix, budget))
    reached = allocate(mix, budget, found=found)
    if reached.response[0] >= roas * budget.total:
        return reached
    below, above, kept = max(low, budget.total * 1e-3), budget.total, None
    for _ in range(steps):
        middle = (below + above) / 2
        tried = allocate(mix, replace(budget, total=middle), starts=2, found=found)
        if tried.response[0] >= roas * middle:
            below, kept = middle, tried
        else:
            above = middle
    if kept is None:
        raise UnfitData(f"largest_total: no total from {low:g} to {budget.total:g} returns {roas:g}; lower the target.")
    return kept


def expected_sales(mix: MediaMix, budget: Budget, allocation: Allocation, controls: Floats | None = None) -> pd.DataFrame:
    """date, mean, low, high of the target in every period of the window, all geographies: baseline with its seasons, what past
    advertising still brings, and the plan. controls (periods, G, K): their future values, their means if not given."""
    data, periods = mix.data, budget.periods
    amounts = allocation.table["spend"].to_numpy(dtype=np.float64)
    spend = laid_out(mix, budget, amounts)
    drawn = mix.draws(
        lambda p: baseline(p, periods, controls)[:, -periods:].sum(axis=2) + contributions(p, spend, data.spend).sum(axis=(2, 3))
    )
    low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
    dates = data.dates[-1] + (data.dates[1] - data.dates[0]) * np.arange(1, periods + 1)
    return pd.DataFrame({"date": dates, "mean": drawn.mean(axis=0), "low": low, "high": high})
