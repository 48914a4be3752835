"""Value put to work in advertising: audiences by value, values of conversions, and people like the best customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lakehouse.science.propensity.cross_validation import stratified_folds
from lakehouse.science.propensity.evaluation import evaluate
from lakehouse.science.propensity.logistic import CalibratedLogistic, fit_calibrated_logistic
from lakehouse.science.propensity.unfit import UnfitData, Vector, numbers

CHANCE = 1.959964


def value_audiences(
    value: pd.Series[Any], before: pd.Series[Any] | None = None, *, high: float = 0.20, low: float = 0.30, slack: float = 0.25
) -> pd.Series[Any]:
    """ "high" the best `high` share, "low" the worst `low` share, else "middle"; equal values by the customer's key.

    Members stay until they are clearly out: who was high stays it down to rank high · (1 + slack), likewise low.
    Platforms learn from stable audiences, and nobody flickers at an edge.

    Args:
        value: predicted, indexed by customer, no missing value.
        before: the last run's audiences, by customer; None at first.

    Raises:
        UnfitData: shares out of range, a customer twice.
    """
    if not (0 < high < 1 and 0 < low < 1 and high * (1 + slack) + low * (1 + slack) <= 1) or value.index.has_duplicates:
        raise UnfitData(
            f"high={high}, low={low}, slack={slack}, repeated customers: {value.index.has_duplicates}; positive shares whose "
            "extended parts do not meet, and one row per customer, are valid"
        )
    place = _place(value)
    was = pd.Series("", index=value.index) if before is None else before.reindex(value.index).fillna("").astype(str)
    best = (place < high) | ((place < high * (1 + slack)) & (was == "high").to_numpy())
    worst = (place >= 1 - low) | ((place >= 1 - low * (1 + slack)) & (was == "low").to_numpy())
    return pd.Series(np.where(best, "high", np.where(worst, "low", "middle")), index=value.index, name="audience")


def conversion_values(predicted: ArrayLike, paid: ArrayLike, *, horizon_share: float = 1.0, cap: float = 0.99) -> Vector:
    """What to tell a bidding platform a conversion is worth: the order's margin now plus the predicted value after it.

    v = paid + horizon_share · min(predicted, its `cap` quantile), scaled so that Σ v = Σ (paid + horizon_share ·
    predicted): one whale must not steer the bidding, and the total stays what is expected, so that a target on return means
    what it says.

    Args:
        predicted: residual value of the customer after the order, in money, at least 0.
        paid: margin of the order itself, in money, at least 0.
        horizon_share: share of the residual value that the business lets advertising pay for, 0 to 1.
        cap: quantile.

    Raises:
        UnfitData: negative values, or shares out of range.
    """
    after, now = numbers(predicted, "predicted"), numbers(paid, "paid")
    if len(after) != len(now) or len(now) == 0 or min(after.min(), now.min()) < 0 or not (0 <= horizon_share <= 1 and 0 < cap <= 1):
        raise UnfitData(
            f"received {len(now)} orders, {len(after)} predictions, horizon_share={horizon_share}, cap={cap}; one prediction per order, "
            "none negative, horizon_share 0 to 1 and cap above 0 to 1 are valid: give a refunded order 0"
        )
    capped = now + horizon_share * np.minimum(after, float(np.quantile(after, cap)))
    whole = float((now + horizon_share * after).sum())
    return capped * (whole / float(capped.sum())) if capped.sum() > 0 else capped


@dataclass(frozen=True)
class Lookalike:
    """A model that tells seed customers from the others, and how well on rows left out."""

    model: CalibratedLogistic
    auc: float
    auc_low: float

    def score(self, features: pd.DataFrame) -> Vector:
        """How much like the seed each row is: the share of rows (0 to 1) of the scored ones it resembles the seed at least as much as."""
        p = self.model.probability(features)
        return np.searchsorted(np.sort(p), p, side="right") / len(p)


def fit_lookalike(features: pd.DataFrame, seed_customer: NDArray[np.bool_], *, least_auc: float = 0.55, seed: int = 0) -> Lookalike:
    """Logistic regression of membership in the seed on features that strangers have too; other customers are the contrast.

    Positive-unlabelled learning (Elkan & Noto 2008, KDD): the probability is off by a constant factor, the ranking is not,
    so ranks are given. The AUC is of five folds left out.

    Args:
        features: only what is known of people who never bought (visits, channel, device, place): no purchases.
        seed_customer: True for the customers to find more of, such as the audience "high".

    Raises:
        UnfitData: the seed cannot be told from the others: the AUC's interval reaches below `least_auc`.
    """
    y = np.asarray(seed_customer, dtype=np.float64)
    fold = stratified_folds(y, 5, seed)
    p = np.empty(len(y))
    for held in range(5):
        out = fold == held
        p[out] = fit_calibrated_logistic(features[~out].reset_index(drop=True), y[~out], folds=5).probability(features[out])
    figures = evaluate(p, y)
    low = figures.auc - CHANCE * figures.auc_standard_error
    if low < least_auc:
        raise UnfitData(
            f"the {int(y.sum())} seed customers cannot be told from {int((1 - y).sum())} others by {list(features.columns)}: "
            f"AUC {figures.auc:.3f}, from {low:.3f} ({least_auc} needed). Use other features or a more distinct seed; "
            "a lookalike audience of these would be chance"
        )
    return Lookalike(fit_calibrated_logistic(features, y, folds=5), figures.auc, low)


def _place(value: pd.Series[Any]) -> Vector:
    keys = np.argsort(np.argsort(value.index.astype(str).to_numpy(), kind="stable"), kind="stable")
    place = np.empty(len(value))
    place[np.lexsort((keys, -numbers(value, "value")))] = (np.arange(len(value)) + 0.5) / len(value)
    return place
