"""What each customer is still worth: the buying model that the data like best, times what a purchase brings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lakehouse.science.propensity.unfit import UnfitData, Vector, numbers
from lakehouse.science.value.bg_nbd import BgNbd, fit_bg_nbd
from lakehouse.science.value.estimation import Estimate, Prior
from lakehouse.science.value.gamma_gamma import GammaGamma, fit_gamma_gamma
from lakehouse.science.value.histories import Histories
from lakehouse.science.value.pareto_nbd import ParetoNbd, fit_pareto_nbd
from lakehouse.science.value.residual import by_decile, discounted_purchases
from lakehouse.science.value.two_habits import TwoHabits, fit_two_habits, fit_two_habits_spread

WEEK = 7.0
COLUMNS = ("repeat_days", "last_repeat_day", "days_observed", "mean_repeat_spend")
YEAR_WEEKS, MONTH_WEEKS, LIFE_YEARS = 52.0, 4.0, 30.0
LEAST, WEAK = 1e-3, 1.5


@dataclass(frozen=True)
class CustomerValue:
    """Buying while alive × spending per purchase; `estimate` is the posterior of the buying model.

    Forecasts are multiplied by e^intercept · μ^(slope − 1), μ the 30 days ahead: what an earlier period said of the model.
    """

    buying: ParetoNbd | BgNbd | TwoHabits
    spending: GammaGamma
    estimate: Estimate
    yearly_discount: float = 0.10
    intercept: float = 0.0
    slope: float = 1.0

    def orders(self, features: pd.DataFrame, days: float) -> Vector:
        """Days with a purchase expected within so many days, one per row."""
        seen = histories(features)
        return self.buying.expected(seen, days / WEEK) * self._factor(seen)

    def _factor(self, seen: Histories) -> Vector:
        month = np.maximum(self.buying.expected(seen, 30 / WEEK), LEAST)
        return np.asarray(np.exp(self.intercept) * month ** (self.slope - 1))

    def calibrated(self, features: pd.DataFrame, happened: Vector) -> CustomerValue:
        """The same model with intercept and slope of a Poisson regression ln E[y] = a + b·ln μ of what happened in the 30 days after
        `features` (Cox's calibration, 1958, for counts). Where the period says little, both stay near 0 and 1 (ridge 1)."""
        month = np.log(np.maximum(self.buying.expected(histories(features), 30 / WEEK), LEAST))
        y, beta = np.asarray(happened, dtype=np.float64), np.array([0.0, 1.0])
        x = np.column_stack([np.ones(len(month)), month])
        for _ in range(50):
            mu = np.exp(np.clip(x @ beta, -20, 10))
            step = np.linalg.solve((x.T * mu) @ x + np.eye(2), x.T @ (mu - y) + beta - np.array([0.0, 1.0]))
            beta = beta - np.clip(step, -0.5, 0.5)
            if np.abs(step).max() < 1e-10:
                break
        return replace(self, intercept=float(beta[0]), slope=float(beta[1]))

    def probability_alive(self, features: pd.DataFrame) -> Vector:
        """Chance that each is still a customer; 1 − it is the chance of having churned."""
        return self.buying.alive(histories(features))

    def table(self, features: pd.DataFrame) -> pd.DataFrame:
        """Columns alive, churned, orders_30d, orders_90d, spend_per_order (money), value_1y and value_life
        (the whole remaining life), both discounted to today."""
        seen = histories(features)
        alive, factor = self.buying.alive(seen), self._factor(seen)
        spend = self.spending.expected(seen.x, numbers(features["mean_repeat_spend"], "mean_repeat_spend"))
        rate = float(np.log1p(self.yearly_discount)) / YEAR_WEEKS
        year = discounted_purchases(self.buying.expected, seen, YEAR_WEEKS, rate, MONTH_WEEKS)
        life = self._whole_life(seen, rate)
        return pd.DataFrame(
            {
                "alive": alive,
                "churned": 1 - alive,
                "orders_30d": self.buying.expected(seen, 30 / WEEK) * factor,
                "orders_90d": self.buying.expected(seen, 90 / WEEK) * factor,
                "spend_per_order": spend,
                "value_1y": year * factor * spend,
                "value_life": np.maximum(life, year) * factor * spend,
            },
            index=features.index,
        )

    def _whole_life(self, seen: Histories, rate: float) -> Vector:
        """Purchases still to come, discounted; BG/NBD has no closed form and is summed over so many years as the discount leaves."""
        if isinstance(self.buying, BgNbd):
            return discounted_purchases(self.buying.expected, seen, LIFE_YEARS * YEAR_WEEKS, max(rate, 1e-4), 26.0)
        return self.buying.discounted(seen, max(rate, 1e-4))

    def total(self, features: pd.DataFrame, days: float, draws: int = 100) -> tuple[float, float, float]:
        """Purchases of all customers expected within so many days, with the 95 % credible interval of the parameters."""
        kind, seen = type(self.buying), histories(features)
        factor = self._factor(seen)
        return self.estimate.credible(lambda p: float(factor @ kind(**p).expected(seen, days / WEEK)), draws)


def histories(features: pd.DataFrame) -> Histories:
    """Histories in weeks from the columns repeat_days, last_repeat_day and days_observed."""
    absent = [name for name in COLUMNS if name not in features.columns]
    if absent:
        raise UnfitData(f"features: columns {absent} are absent from {list(features.columns)}; {list(COLUMNS)} are needed")
    return Histories.of(features["repeat_days"], features["last_repeat_day"] / WEEK, features["days_observed"] / WEEK)


def fit_customer_value(features: pd.DataFrame, yearly_discount: float = 0.10) -> CustomerValue:
    """Pareto/NBD, BG/NBD or two habits of buying, whichever has the least BIC here (Schwarz 1978), with a weak prior; and Gamma-Gamma.

    Args:
        features: one row per customer, all as of one day.

    Raises:
        UnfitData: no buying model can be told from these histories.
    """
    seen = histories(features)
    weak = Prior({}, WEAK)  # where nobody can have been seen to leave yet, the likelihood alone runs away
    fits = (fit_pareto_nbd, fit_bg_nbd, fit_two_habits, fit_two_habits_spread)
    found = [fitted for fit in fits if (fitted := _fitted(fit, seen, weak)) is not None]
    if not found:
        raise UnfitData(f"{len(features)} customers, {int(seen.x.sum())} repeat purchases: no buying model can be told from them")
    buying, estimate = min(found, key=lambda one: len(one[1].values) * np.log(seen.total) - 2 * one[1].log_likelihood)
    spending = _spending(features["repeat_days"], features["mean_repeat_spend"])
    return CustomerValue(buying, spending, estimate, yearly_discount)


def _spending(x: pd.Series[Any], zbar: pd.Series[Any]) -> GammaGamma:
    """Gamma-Gamma; where baskets differ too little to tell its parameters, each mean held near everybody's by the weight of a purchase."""
    try:
        return fit_gamma_gamma(x, zbar)[0]
    except UnfitData:
        bought = (x > 0) & (zbar > 0)
        if not bought.any():
            raise
        return GammaGamma(1.0, 2.0, float(zbar[bought].mean()))


def _fitted(fit: Any, seen: Histories, prior: Prior | None) -> tuple[Any, Estimate] | None:
    try:
        found: tuple[Any, Estimate] = fit(seen, prior)
    except UnfitData:
        return None
    return found


def poisson_deviance(expected: Vector, happened: Vector, least: float = LEAST) -> Vector:
    """2·[y·ln(y ÷ μ) − (y − μ)] per row, the loss of a forecast of counts (McCullagh & Nelder 1989, §2.3)."""
    mu, y = np.maximum(expected, least), np.asarray(happened, dtype=np.float64)
    return np.asarray(2 * (np.where(y > 0, y * np.log(np.maximum(y, 1e-12) / mu), 0.0) - (y - mu)))


def forecast_figures(expected: Vector, happened: Vector) -> dict[str, float]:
    """total_ratio (Σ expected ÷ Σ happened), its chance interval, deciles_off (largest |ratio − 1| weighed by share), correlation."""
    y = np.asarray(happened, dtype=np.float64)
    draw = np.random.default_rng(0)
    totals = [float(y[draw.integers(0, len(y), len(y))].sum()) for _ in range(400)]
    low, high = np.quantile(totals, [0.025, 0.975])
    table = by_decile(expected, y)
    off = float((np.abs(table["predicted"] - table["happened"]) * table["customers"]).sum() / max(y.sum(), 1.0))
    return {
        "total_ratio": float(expected.sum() / max(y.sum(), 1.0)),
        "total_ratio_low": float(expected.sum() / max(float(high), 1.0)),
        "total_ratio_high": float(expected.sum() / max(float(low), 1.0)),
        "deciles_off": off,
        "correlation": float(np.corrcoef(expected, y)[0, 1]),
        "deviance": float(poisson_deviance(expected, y).mean()),
    }


def value_report(model: CustomerValue, features: pd.DataFrame, expected: Vector, rule: Vector, happened: Vector, metrics: Any) -> str:
    """One HTML page: forecast against what happened by group, beside the simple rule; parameters with intervals; who holds the value."""
    from lakehouse.science.charts import grid, lines, page

    ours, simple = by_decile(expected, happened), by_decile(rule, happened)
    most = float(max(ours["predicted"].max(), ours["happened"].max()))
    points = {name: list(zip(t["predicted"], t["happened"], strict=True)) for name, t in (("model", ours), ("tier averages", simple))}
    chart = lines({**points, "perfect": [(0.0, 0.0), (most, most)]}, "days with an order, forecast", "happened", dashed=["perfect"])
    worth = np.sort(model.table(features)["value_1y"].to_numpy())[::-1]
    share = np.cumsum(worth) / max(float(worth.sum()), 1e-9)
    at = np.linspace(0, len(share) - 1, 21).astype(int)
    curve = [(float((i + 1) / len(share)), float(share[i])) for i in at]
    held = lines({"share of value": curve}, "share of customers, best first", "value")
    rows = {name: (value, *model.estimate.interval(name)) for name, value in model.estimate.values.items()}
    parameters = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])
    return page(
        f"Customer value: {type(model.buying).__name__} on later time",
        [
            ("Figures beside the simple rule", grid(pd.DataFrame({"value": dict(metrics)}))),
            ("Forecast and reality", f'<div class="charts">{chart}{held}</div>'),
            ("By group of forecast", grid(ours)),
            ("Parameters, 95 % interval", grid(parameters)),
        ],
    )
