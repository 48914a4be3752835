"""S, T, X and DR learners: the effect of a contact on each customer, from a randomised (or weighted) campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lakehouse.science.propensity.encoding import Encoding, learn_encoding
from lakehouse.science.propensity.unfit import UnfitData, Vector, binary, numbers, one_of
from lakehouse.science.uplift.outcomes import Matrix, Predict, Regression, logistic, ridge

Learner = Literal["S", "T", "X", "DR"]
FOLDS = 5


@dataclass(frozen=True)
class Uplift:
    """A fitted learner."""

    learner: Learner
    encoding: Encoding
    predict: Predict

    def effect(self, features: pd.DataFrame) -> Vector:
        """E[y | contacted] − E[y | not contacted] of each row, in units of y."""
        return self.predict(self.encoding.matrix(features))


def fit_uplift(
    features: pd.DataFrame,
    treated: ArrayLike,
    outcome: ArrayLike,
    *,
    learner: Learner = "DR",
    propensity: ArrayLike | None = None,
    outcome_model: Regression | None = None,
    effect_model: Regression | None = None,
    seed: int = 0,
) -> Uplift:
    """Fit τ(x) = E[y(1) − y(0) | x].

    * S: one μ(x, t) with products x·t; τ = μ(x, 1) − μ(x, 0)
    * T: μ₁ on the treated, μ₀ on the others; τ = μ₁ − μ₀
    * X: imputed effects y − μ₀ of the treated and μ₁ − y of the others, regressed on x, mixed (1 − e)·τ₁ + e·τ₀
      (Künzel et al. 2019, PNAS 116)
    * DR: ψ = μ₁ − μ₀ + t·(y − μ₁)/e − (1 − t)·(y − μ₀)/(1 − e), μ cross-fitted over 5 folds, regressed on x
      (Kennedy 2023, Electronic Journal of Statistics 17)

    Args:
        features: one row per customer as of the contact.
        treated: 1 if contacted, 0 if held out.
        outcome: 0/1, or an amount (then give an `outcome_model` for amounts, such as `ridge()`).
        propensity: chance of being contacted, per row; None where assignment was random: the share treated.
        outcome_model, effect_model: regressions; logistic with ridge and linear with ridge unless told.
        seed: of the folds.

    Raises:
        UnfitData: only one arm, propensities at or beyond 0 or 1, lengths differ.
    """
    one_of(learner, get_args(Learner), "learner")
    t = binary(treated, "treated", len(features))
    y = numbers(outcome, "outcome", len(t))
    e = np.full(len(t), t.mean()) if propensity is None else numbers(propensity, "propensity", len(t))
    if e.min() <= 0.01 or e.max() >= 0.99:
        raise UnfitData(
            f"propensity: received {e.min():.3f} to {e.max():.3f}; 0.01 to 0.99 is valid: leave out customers who "
            "were always, or never, contacted"
        )
    encoding = learn_encoding(features)
    x = encoding.matrix(features)
    outcomes, effects = outcome_model or logistic(), effect_model or ridge()
    if learner == "S":
        return Uplift("S", encoding, _s(x, t, y, outcomes))
    if learner == "DR":
        return Uplift("DR", encoding, effects(x, _doubly_robust(x, t, y, e, outcomes, seed)))
    with_contact, without = outcomes(x[t == 1], y[t == 1]), outcomes(x[t == 0], y[t == 0])
    if learner == "T":
        return Uplift("T", encoding, lambda new: with_contact(new) - without(new))
    of_treated = effects(x[t == 1], y[t == 1] - without(x[t == 1]))
    of_others = effects(x[t == 0], with_contact(x[t == 0]) - y[t == 0])
    share = float(e.mean())
    return Uplift("X", encoding, lambda new: (1 - share) * of_treated(new) + share * of_others(new))


def _s(x: Matrix, t: Vector, y: Vector, outcomes: Regression) -> Predict:
    # the arms' middle as origin of t, so that the penalty shrinks both arms alike
    def joined(rows: Matrix, arm: Vector) -> Matrix:
        return np.column_stack([rows, arm - 0.5, rows * (arm - 0.5)[:, None]])

    mu = outcomes(joined(x, t), y)
    return lambda new: mu(joined(new, np.ones(len(new)))) - mu(joined(new, np.zeros(len(new))))


def _doubly_robust(x: Matrix, t: Vector, y: Vector, e: Vector, outcomes: Regression, seed: int) -> Vector:
    fold = np.random.default_rng(seed).permutation(len(t)) % FOLDS
    psi = np.empty(len(t))
    for held in range(FOLDS):
        out, kept = fold == held, fold != held
        mu1 = outcomes(x[kept & (t == 1)], y[kept & (t == 1)])(x[out])
        mu0 = outcomes(x[kept & (t == 0)], y[kept & (t == 0)])(x[out])
        corrected = t[out] * (y[out] - mu1) / e[out] - (1 - t[out]) * (y[out] - mu0) / (1 - e[out])
        psi[out] = mu1 - mu0 + corrected
    return psi
