"""How many touches a chain should remember, judged on journeys it has not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lakehouse.science.attribution.markov import state_codes
from lakehouse.science.attribution.paths import Floats, Integers, Paths, totals


@dataclass(frozen=True)
class OrderChoice:
    """score, error: mean held-out log-likelihood per journey of orders 1, 2, … and the standard error of its
    difference from the best; order: the shortest memory within one standard error of the best."""

    order: int
    score: Floats
    error: Floats


def folds(paths: Paths, count: int, seed: int) -> list[tuple[Paths, Paths]]:
    """(training, held-out) pairs: by customer where known, else single journeys drawn out of the row sums."""
    draw = np.random.default_rng(seed)
    if paths.customer is not None:
        # A customer's journeys resemble each other: all of them are on one side.
        fold = draw.integers(0, count, int(paths.customer.max(initial=0)) + 1)[paths.customer]
        return [(paths.weighted((fold != one).astype(float)), paths.weighted((fold == one).astype(float))) for one in range(count)]
    even = np.full(count, 1.0 / count)
    converted = draw.multinomial(paths.converted.astype(np.int64), even).astype(np.float64)
    lost = draw.multinomial(paths.lost.astype(np.int64), even).astype(np.float64)
    each = np.divide(paths.value, paths.converted, out=np.zeros_like(paths.value), where=paths.converted > 0)

    def part(chosen: npt.NDArray[np.bool_]) -> Paths:
        kept = converted[:, chosen].sum(axis=1)
        return replace(paths, converted=kept, value=kept * each, lost=lost[:, chosen].sum(axis=1))

    marks = np.eye(count, dtype=np.bool_)
    return [(part(~mark), part(mark)) for mark in marks]


def _steps(paths: Paths, order: int) -> tuple[Integers, Integers, Floats, Integers]:
    """Context, what followed (channel, or C conversion, C + 1 loss), how often, and in which journey."""
    code = state_codes(paths, order) if order else np.zeros(len(paths.touch), dtype=np.int64)
    before = np.where(paths.position == 0, 0, np.concatenate([np.zeros(1, dtype=np.int64), code[:-1]]))
    final = code[paths.start[1:] - 1]
    width, journeys = len(paths.channels), np.arange(len(paths.converted), dtype=np.int64)
    return (
        np.concatenate([before, final, final]),
        np.concatenate([paths.touch, np.full_like(final, width), np.full_like(final, width + 1)]),
        np.concatenate([(paths.converted + paths.lost)[paths.journey], paths.converted, paths.lost]),
        np.concatenate([paths.journey, journeys, journeys]),
    )


def step_probabilities(paths: Paths, order: int, prior: float = 2.0) -> Floats:
    """Probability of every step of `_steps`, fitted on `paths`, an unseen context falling back on a shorter
    one.

    p_k(x | c) = (n(c, x) + prior · p_{k-1}(x | c')) / (n(c) + prior), p_{-1} uniform over C + 2 outcomes
    (interpolation with a Dirichlet prior: MacKay & Bauman Peto 1995, Natural Language Engineering 1(3)).
    """
    outcomes = len(paths.channels) + 2
    probability: Floats = np.full(len(paths.touch) + 2 * len(paths.converted), 1.0 / outcomes)
    for shorter in range(order + 1):
        context, outcome, weight, _ = _steps(paths, shorter)
        _, at = np.unique(context, return_inverse=True)
        pair = at.ravel() * outcomes + outcome
        together = totals(pair, weight, 0)[pair]
        alone = totals(at.ravel(), weight, 0)[at.ravel()]
        probability = (together + prior * probability) / (alone + prior)
    return probability


def choose_order(paths: Paths, orders: tuple[int, ...] = (1, 2, 3), count: int = 5, seed: int = 0) -> OrderChoice:
    """Cross-validate each order; the shortest within one standard error of the best wins.

    Training and held-out journeys share their rows (only the counts differ), so probabilities fitted on one
    apply to the other step by step.
    """
    journeys = len(paths.converted)
    likelihood = np.zeros((len(orders), journeys))
    tested = np.zeros(journeys)
    for training, held in folds(paths, count, seed):
        tested += held.converted + held.lost
        for row, order in enumerate(orders):
            _, _, weight, journey = _steps(held, order)
            likelihood[row] += totals(journey, weight * np.log(step_probabilities(training, order)), journeys)
    total = tested.sum()
    score = likelihood.sum(axis=1) / total
    best = int(score.argmax())
    behind = (likelihood[best] - likelihood) / np.maximum(tested, 1.0)
    mean = score[best] - score
    error = np.sqrt((tested * (behind - mean[:, None]) ** 2).sum(axis=1)) / total
    within = [order for order, gap, one in zip(orders, mean, error, strict=True) if gap <= one]
    return OrderChoice(min(within), score, error)
