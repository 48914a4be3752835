"""A plain purchase model on recency, frequency, money and tenure, to see how much of the truth can be learnt."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.world.company import DAY, Company
from infra.world.day import simulate
from infra.world.population import begin
from infra.world.truth import achievable_auc, purchase_probability

Array = npt.NDArray[Any]
WINDOW = 28


@dataclass
class History:
    """A simulated history: every order, and each day's true probabilities."""

    company: Company
    customer: Array
    at: Array
    cents: Array
    created: Array
    truth: dict[int, Array]


def simulated(customers: int, days: int, seed: int) -> History:
    """Simulate in memory."""
    company = Company(seed, "test", customers, date(2026, 1, 5))
    state, who, when, spent, truth = begin(company), [], [], [], {}
    for day in range(days):
        today = simulate(company, state)
        lift = float(today.advertising.lift[:2].sum())
        truth[day] = np.where(state.customers["deleted"], np.nan, purchase_probability(state, company.second(day), lift))
        orders = today.orders
        who.append(orders.customer)
        when.append(orders.at)
        spent.append(np.bincount(orders.line_order, orders.amount_cents, len(orders.at)))
        state = today.after
    created = state.customers["created"]
    return History(company, np.concatenate(who), np.concatenate(when), np.concatenate(spent), created, truth)


def features(history: History, day: int) -> tuple[Array, Array, Array]:
    """Give features, label and true probability of the customers known on the morning of a day."""
    now, n = history.company.second(day), len(history.truth[day])
    past = history.at < now

    def count(days: int) -> Array:
        return np.bincount(history.customer[past & (history.at >= now - days * DAY)], minlength=n)

    recent, month = count(7), count(WINDOW)
    last = np.full(n, -np.inf)
    np.maximum.at(last, history.customer[past], history.at[past].astype(float))
    recency = np.minimum((now - last) / DAY, WINDOW)
    tenure = (now - history.created[:n]) / DAY
    rate = np.log1p(30 * month / np.clip(tenure, 3, WINDOW))
    spent = np.bincount(history.customer[past], history.cents[past], n)
    basket = np.log(np.maximum(spent / np.maximum(np.bincount(history.customer[past], minlength=n), 1), 100))
    columns = [np.log1p(recent), np.log1p(month), rate, rate**2, recency, np.log1p(recency), np.log1p(recency) * rate]
    columns += [np.log(np.maximum(tenure, 1)), basket * (month > 0), month > 0, month == 1, tenure < 14]
    later = (history.at >= now) & (history.at < now + 30 * DAY)
    bought = np.bincount(history.customer[later], minlength=len(history.created))[:n] > 0
    here = ~np.isnan(history.truth[day])
    return np.column_stack(columns)[here].astype(float), bought[here], history.truth[day][here]


@dataclass
class Score:
    """How a learnt model compares with the truth on later time."""

    best: float
    expected: float
    learnt: float
    slope: float
    share: float


def learn(history: History, train: list[int], test: int) -> Score:
    """Fit a logistic regression on earlier days and judge it on a later one."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    parts = [features(history, day) for day in train]
    x, y = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
    middle, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
    model = LogisticRegression(C=0.3, max_iter=2000).fit((x - middle) / spread, y)
    x, y, truth = features(history, test)
    score = model.decision_function((x - middle) / spread)
    slope = LogisticRegression(C=1e9).fit(score[:, None], y).coef_[0, 0]
    return Score(roc_auc_score(y, truth), achievable_auc(truth), roc_auc_score(y, score), float(slope), float(y.mean()))
