"""What segments are made from: answers to surveys as scales, places as regions, kinds of features with equal say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lakehouse.science.propensity.encoding import learn_encoding
from lakehouse.science.propensity.unfit import UnfitData


@dataclass(frozen=True)
class Scales:
    """Psychographic scales of each customer who answered, and how far the answers to each hang together."""

    scores: pd.DataFrame
    reliability: Mapping[str, float]


def survey_scales(
    answers: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    *,
    reversed_items: Sequence[str] = (),
    points: tuple[int, int] = (1, 5),
    least: float = 0.6,
) -> Scales:
    """Means of a customer's answers per scale, each person's way of using the scale taken out.

    Reversed items are turned (low + high − answer). Answers are then centred on the customer's mean over all items:
    who ticks high everywhere has no attitude by that (ipsatised; Fischer 2004, Journal of Cross-Cultural Psychology 35).
    Reliability is Cronbach's α = k/(k − 1)·(1 − Σ var itemⱼ ÷ var Σ items) of the uncentred answers (1951, Psychometrika 16).

    Args:
        answers: one row per customer, a column per item; missing where not answered.
        scales: scale to its items, two or more each.
        reversed_items: items whose agreement means the opposite.
        points: lowest and highest answer.
        least: reliability below which a scale is refused.

    Returns:
        Scores by customer, only those who answered at least half of the items of every scale.

    Raises:
        UnfitData: unknown items, answers out of range, a scale whose items do not hang together.
    """
    items = [item for names in scales.values() for item in names]
    unknown = [item for item in (*items, *reversed_items) if item not in answers.columns]
    low, high = points
    if unknown or any(len(names) < 2 for names in scales.values()):
        raise UnfitData(f"scales: unknown items {unknown}; each scale needs two or more of {list(answers.columns)[:12]}")
    given = answers[list(dict.fromkeys(items))].astype(float)
    wrong = int((((given < low) | (given > high)) & given.notna()).to_numpy().sum())
    if wrong:
        raise UnfitData(f"answers: {wrong} are outside {low} to {high}; give points= or leave codes such as 99 (no answer) empty")
    for item in reversed_items:
        given[item] = low + high - given[item]
    reliability = {name: cronbach_alpha(given[list(names)]) for name, names in scales.items()}
    loose = {name: round(alpha, 2) for name, alpha in reliability.items() if not alpha >= least}
    if loose:
        raise UnfitData(f"scales: items do not hang together, α {loose}, {least} needed; is an item reversed? Leave it out or list it")
    return Scales(scale_scores(given, scales), reliability)


def scale_scores(given: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Mean of each customer's answers per scale less their mean over all items; only who answered half of the items of every scale."""
    items = list(dict.fromkeys(item for names in scales.values() for item in names))
    answered = np.all([np.mean(given[list(names)].notna().to_numpy(), axis=1) >= 0.5 for names in scales.values()], axis=0)
    kept = given.loc[answered, items].astype(float)
    own = kept.sub(pd.Series(np.nanmean(kept.to_numpy(), axis=1) if len(kept) else [], index=kept.index, dtype=float), axis=0)
    scores = {name: np.nanmean(own[list(names)].to_numpy(), axis=1) if len(own) else [] for name, names in scales.items()}
    return pd.DataFrame(scores, index=kept.index, dtype=float)


def cronbach_alpha(items: pd.DataFrame) -> float:
    """α of the rows that answered all items; NaN where there are fewer than three."""
    whole = items.dropna().to_numpy(dtype=np.float64)
    if len(whole) < 3 or whole.sum(axis=1).var(ddof=1) == 0:
        return float("nan")
    k = whole.shape[1]
    return float(k / (k - 1) * (1 - whole.var(axis=0, ddof=1).sum() / whole.sum(axis=1).var(ddof=1)))


def regions(place: pd.Series[Any], least: int = 50, other: str = "elsewhere") -> pd.Series[Any]:
    """Places with at least `least` customers keep their name, the rest are one region: nobody is a segment of his own."""
    text = place.astype("string").fillna(other)
    return text.where(text.map(text.value_counts()) >= least, other).astype(str)


def weighted_blocks(blocks: Mapping[str, pd.DataFrame], weights: Mapping[str, float] | None = None) -> NDArray[np.float64]:
    """Encoded features side by side, each block (behaviour, demography, geography, attitudes) with an equal say.

    A block is encoded (`learn_encoding`), then divided by the first singular value of its centred matrix per row:
    no block dominates distances by the number of its columns or their agreement (multiple factor analysis,
    Escofier & Pagès 1994, Computational Statistics & Data Analysis 18). `weights` multiply after that.

    Returns:
        Matrix (customers, columns), for `find_segments`.

    Raises:
        UnfitData: blocks of different customers, or an unknown weight.
    """
    given = dict(weights or {})
    unknown = [name for name in given if name not in blocks]
    index = next(iter(blocks.values())).index if blocks else pd.Index([])
    apart = [name for name, block in blocks.items() if not block.index.equals(index)]
    if not blocks or apart or unknown:
        raise UnfitData(
            f"blocks {list(blocks)}: other customers in {apart}, unknown weights {unknown}; the same customers in the same order are needed"
        )
    parts = []
    for name, block in blocks.items():
        x = learn_encoding(block).matrix(block)
        first = float(np.linalg.svd(x - x.mean(axis=0), compute_uv=False)[0]) / np.sqrt(len(x))
        parts.append(x / (first if first > 0 else 1.0) * given.get(name, 1.0))
    return np.column_stack(parts)
