"""Two habits of buying, regular and occasional: what a single spread of rates blurs.

BG/BB (Fader, Hardie & Shang 2010, Marketing Science 29) day by day, with a mixture of two betas for the chance to buy on a day
(latent classes; Kamakura & Russell 1989, Journal of Marketing Research 26) and one chance of leaving for all, or a beta of them where
the data say so. Where buyers are of two kinds, one spread is too wide for either, and a regular's silence is taken for a
slow habit instead of a departure. Days, not a continuous rate, because purchases of one day count once: who buys on every fifth
day is silent less long than a Poisson rate of .2 allows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, gammaln, logsumexp

from lakehouse.science.propensity.unfit import Vector
from lakehouse.science.value.estimation import Estimate, Prior, maximise
from lakehouse.science.value.histories import Histories
from lakehouse.science.value.residual import discounted_purchases

NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)
POLISH = 400
NAMES = ("a1", "b1", "a2", "b2", "odds", "leaving", "alike")
ALIKE = 100.0


@dataclass(frozen=True)
class TwoHabits:
    """Chance to buy on a day p ~ Beta(a1, b1) for odds ÷ (1 + odds) of the customers, else Beta(a2, b2).

    Before each day a customer leaves with chance θ, the same for all and leaving ÷ (1 + leaving), or Beta(c, d) with that mean and
    c + d = alike. `days` are the days in a unit of T.
    """

    a1: float
    b1: float
    a2: float
    b2: float
    odds: float
    leaving: float
    alike: float = float("inf")
    days: float = 7.0

    def log_likelihood(self, seen: Histories) -> float:
        """ln L = Σ customers · {ln Σₖ wₖ·[still ₖ + gone ₖ] + x·ln days}, see `_parts`.

        The last term turns the probability of days into a density over T, as that of the models in continuous time is.
        """
        return float(seen.customers @ (logsumexp(self._parts(seen), axis=(0, 1)) + seen.x * np.log(self.days)))

    def alive(self, seen: Histories) -> Vector:
        """P(still a customer at T), one per row."""
        parts = self._parts(seen)
        return np.asarray(np.exp(logsumexp(parts[:, 0], axis=0) - logsumexp(parts, axis=(0, 1))))

    def expected(self, seen: Histories, t: ArrayLike) -> Vector:
        """E[days with a purchase in (T, T + t]] = E[p; still a customer] · Σ S(n + i) ÷ S(n) over its days i = 1, 2, …, in closed form."""
        m, n = np.asarray(t, dtype=np.float64) * self.days, np.rint(seen.T * self.days)
        c, d = self._beta()
        if np.isinf(c):
            stay = 1 / (1 + self.leaving)
            return self._chance(seen) * stay * -np.expm1(m * np.log(stay)) / (1 - stay)
        c = c if abs(c - 1) > 1e-9 else 1 + 1e-9
        kept = gammaln(c + d + n) + gammaln(1 + d + n + m) - gammaln(1 + d + n) - gammaln(c + d + n + m)
        return self._chance(seen) * (d + n) / (c - 1) * -np.expm1(kept)

    def discounted(self, seen: Histories, rate: float) -> Vector:
        """The same over the whole remaining life, each day discounted continuously by `rate` per unit of T: with one θ for all
        E[p; still] · q ÷ (1 − q), q the chance to stay a day × its discount; else summed over 30 years by half-years."""
        if np.isinf(self.alike):
            stay = np.exp(-rate / self.days) / (1 + self.leaving)
            return self._chance(seen) * stay / (1 - stay)
        return discounted_purchases(self.expected, seen, 30 * 365 / self.days, rate, 182.5 / self.days)

    def _beta(self) -> tuple[float, float]:
        mean = self.leaving / (1 + self.leaving)
        return mean * self.alike, (1 - mean) * self.alike

    def _stays(self, days: Vector) -> Vector:
        """ln S: of still being there after so many days."""
        c, d = self._beta()
        if np.isinf(c):
            return -days * np.log1p(self.leaving)
        return np.asarray(gammaln(d + days) - gammaln(d) - gammaln(c + d + days) + gammaln(c + d))

    def _leaves(self, days: Vector) -> Vector:
        """ln of leaving on the next day, for who has been there so many days."""
        c, d = self._beta()
        return np.full(np.shape(days), -np.log1p(1 / self.leaving)) if np.isinf(c) else np.asarray(np.log(c / (c + d + days)))

    def _chance(self, seen: Histories) -> Vector:
        parts, n = self._parts(seen), np.rint(seen.T * self.days)
        still = np.exp(parts[:, 0] - logsumexp(parts, axis=(0, 1)))
        return np.asarray(sum(share * (a + seen.x) / (a + b + n) for share, (a, b, _) in zip(still, self._habits(), strict=True)))

    def _habits(self) -> tuple[tuple[float, float, float], ...]:
        return (self.a1, self.b1, -float(np.log1p(1 / self.odds))), (self.a2, self.b2, -float(np.log1p(self.odds)))

    def _parts(self, seen: Histories) -> NDArray[np.float64]:
        """(habit, still or gone, row): ln of wₖ/B(a, b) times B(a+x, b+n−x)·S(n), or Σ θ(i)·S(i)·B(a+x, b+i−x) over the days i of leaving.

        i = t_x … n − 1; the first day's term as it is, the others as the integral from half a day after it (midpoint rule, within
        .3 %), by Gauss–Legendre on u = ln(a + b + i), where the term is nearly exponential.
        """
        x, first, n = seen.x, np.rint(seen.t_x * self.days), np.rint(seen.T * self.days)
        parts = np.full((2, 2, len(x)), -np.inf)
        left, longer = n > first, n > first + 1
        for k, (a, b, share) in enumerate(self._habits()):
            start = share - betaln(a, b)
            parts[k, 0] = start + betaln(a + x, b + n - x) + self._stays(n)
            parts[k, 1, left] = (start + betaln(a + x, b + first - x) + self._stays(first) + self._leaves(first))[left]
            low, high = np.log(a + b + first[longer] + 0.5), np.log(a + b + n[longer] - 0.5)
            half = (high - low) / 2
            u = low + half * (NODES[:, None] + 1)
            day = np.exp(u) - a - b
            terms = gammaln(b + day - x[longer]) - gammaln(np.exp(u)) + self._stays(day) + self._leaves(day) + u
            most = terms.max(axis=0)
            inside = most + np.log(WEIGHTS @ np.exp(terms - most))
            parts[k, 1, longer] = np.logaddexp(parts[k, 1, longer], start + gammaln(a + x[longer]) + inside + np.log(half))
        return parts


def fit_two_habits(seen: Histories, prior: Prior | None = None, *, spread: bool = False) -> tuple[TwoHabits, Estimate]:
    """Maximum likelihood (or posterior mode) on the distinct histories; T in weeks. With `spread` chances of leaving differ.

    Raises:
        UnfitData: the data do not tell the parameters apart, such as where all customers are of one kind.
    """
    rows = seen.distinct()
    n = rows.T.clip(1 / TwoHabits.days) * TwoHabits.days
    often = rows.x > np.average(rows.x, weights=rows.customers)
    share = float(np.clip(rows.customers[often].sum() / rows.total, 0.01, 0.99))
    p = float(np.clip(np.average((rows.x / n)[often], weights=rows.customers[often]), 0.01, 0.9)) if often.any() else 0.1
    whole = float(np.average(n, weights=rows.customers))
    start = [4.0, 4 * (1 - p) / p, 1.0, 2 * whole, share / (1 - share), 0.2 / whole, ALIKE][: 6 + spread]
    # centred where the search begins: a prior around 1 a day would itself make customers leave
    weak = prior and Prior({name: float(np.log(at)) for name, at in zip(NAMES, start, strict=False)} | dict(prior.centre), prior.spread)
    estimate = maximise(lambda values: TwoHabits(*values).log_likelihood(rows), NAMES[: 6 + spread], rows.total, [start], weak, POLISH)
    return TwoHabits(**estimate.values), estimate


def fit_two_habits_spread(seen: Histories, prior: Prior | None = None) -> tuple[TwoHabits, Estimate]:
    """`fit_two_habits` with chances of leaving that differ."""
    return fit_two_habits(seen, prior, spread=True)
