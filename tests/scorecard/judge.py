"""How near to the truth: error of contributions, coverage of intervals, regret of the recommended budget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from lakehouse.science.media_mix.budget import allocate
from lakehouse.science.media_mix.mix import MediaMix
from lakehouse.science.media_mix.plan import Budget
from lakehouse.science.media_mix.response import contributions
from tests.scorecard.worlds import World

Floats = npt.NDArray[np.float64]
WINDOW = 13


@dataclass(frozen=True)
class Score:
    """srmse: root mean squared error of weekly contributions ÷ standard deviation of the true ones, mean over channels.
    covered: channels whose total is within its 90 % interval, of `channels`. regret: response missed by the recommended
    budget ÷ the best possible."""

    srmse: float
    covered: int
    channels: int
    regret: float


def score(world: World, mix: MediaMix) -> Score:
    """One fit against its world."""
    drawn = mix.draws(lambda p: contributions(p)[:, :, 0])
    error = np.sqrt(((drawn.mean(axis=0) - world.truth) ** 2).mean(axis=0))
    low, high = np.quantile(drawn.sum(axis=1), [0.05, 0.95], axis=0)
    total = world.truth.sum(axis=0)
    inside = int(((total >= low) & (total <= high)).sum())
    return Score(float((error / world.truth.std(axis=0)).mean()), inside, len(total), regret(world, mix))


def belief(world: World, mix: MediaMix) -> dict[str, list[float] | list[list[float]]]:
    """Logarithms of channel totals: the truth, and mean and covariance of the draws, so that later questions need no new fit."""
    logs = np.log(mix.draws(lambda p: contributions(p)[:, :, 0]).sum(axis=1) + 1e-9)
    spread = np.atleast_2d(np.cov(logs.T))
    return {
        "truth": np.log(world.truth.sum(axis=0)).round(4).tolist(),
        "mean": logs.mean(axis=0).round(4).tolist(),
        "covariance": spread.round(5).tolist(),
    }


def regret(world: World, mix: MediaMix) -> float:
    """The last quarter's money over the next quarter: best possible response − that of the recommendation, ÷ best."""
    budget = Budget(float(world.data.spend[-WINDOW:].sum()), WINDOW)
    found = allocate(mix, budget, starts=2)
    chosen = found.table["spend"].to_numpy(dtype=np.float64)
    past = world.data.spend[:, 0]

    def brought(split: Floats) -> float:
        plan = np.vstack([past, np.tile(split / WINDOW, (WINDOW, 1)), np.zeros((12, len(split)))])
        return float(world.respond(plan)[len(past) :].sum())

    most = budget.total
    starts = [chosen, np.full(len(chosen), most / len(chosen)), *np.random.default_rng(0).dirichlet(np.ones(len(chosen)), 4) * most]
    best = brought(chosen)
    for start in starts:
        tried = optimize.minimize(
            lambda x: -brought(np.maximum(x, 0) * most) / brought(chosen),
            start / most,
            bounds=[(0, 1)] * len(chosen),
            constraints=[{"type": "eq", "fun": lambda x: x.sum() - 1}],
            method="SLSQP",
        )
        split = np.maximum(tried.x, 0)
        best = max(best, brought(split / split.sum() * most))
    silent = brought(np.zeros(len(chosen)))
    return (best - brought(chosen)) / (best - silent)


def paired(ours: Floats, other: Floats, seed: int = 0) -> tuple[float, float, float]:
    """Mean of 1 − ours ÷ other over seeds, as ratio of sums, with 90 % interval by bootstrap over pairs."""
    random = np.random.default_rng(seed)
    picks = random.integers(0, len(ours), (4000, len(ours)))
    drawn = 1 - ours[picks].sum(axis=1) / other[picks].sum(axis=1)
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(1 - ours.sum() / other.sum()), float(low), float(high)


def coverage(covered: int, of: int) -> tuple[float, float, float]:
    """Share covered with 90 % Clopper–Pearson interval."""
    low = float(stats.beta.ppf(0.05, covered, of - covered + 1)) if covered else 0.0
    high = float(stats.beta.ppf(0.95, covered + 1, of - covered)) if covered < of else 1.0
    return covered / of, low, high
