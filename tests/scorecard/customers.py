"""Customers: propensity, value, segments and offers on simulated companies of known truth, beside simple rules and the best possible."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from infra.world.company import DAY, LIFETIME_DAYS, NEWSLETTER_LIFT, Company
from infra.world.day import simulate
from infra.world.life import DELETION_DAILY
from infra.world.newsletter import mailed
from infra.world.population import begin
from infra.world.truth import achievable_auc, purchase_probability
from lakehouse.science.propensity.candidates import compare_candidates
from lakehouse.science.propensity.evaluation import evaluate
from lakehouse.science.segmentation.clusters import k_means
from lakehouse.science.segmentation.model import fit_segments
from lakehouse.science.uplift.offers import fit_newsletter
from lakehouse.science.value.customer_value import fit_customer_value, forecast_figures, poisson_deviance
from lakehouse.science.value.residual import by_decile, tier_averages

SEEDS = range(1, 9)
CUSTOMERS, WINDOW, HORIZON = 2000, 28, 30
BEFORE, LATER, DAYS = 30, 60, 91
MORNINGS = (BEFORE, LATER, DAYS - 1)
RFM = ["recency_days", "tenure_days", "orders_7d", "orders_28d", "spend_28d", "mean_basket_28d"]
HISTORY = ["repeat_days", "last_repeat_day", "days_observed", "mean_repeat_spend"]
MARGIN, COST = 0.4, 0.5
MANY, DISCOUNT = 20_000, 0.10


@dataclass
class Past:
    """A simulated company: its orders, and what it was at the end of each day asked for."""

    company: Company
    customer: Any
    at: Any
    cents: Any
    states: dict[int, Any]
    probability: dict[int, Any]
    drive: tuple[float, float]
    """Mean over the history of demand × (1 + lift by advertising), and of demand × lift by the newsletter."""


def simulated(seed: int, customers: int = CUSTOMERS, days: int = DAYS) -> Past:
    """Simulate in memory."""
    company = Company(seed, "test", customers, date(2026, 1, 5))
    state, who, when, spent = begin(company), [], [], []
    states: dict[int, Any] = {}
    probability: dict[int, Any] = {}
    drive = np.zeros(2)
    for day in range(days):
        today = simulate(company, state)
        lift = today.advertising.lift
        drive += today.advertising.demand * np.array([1 + lift[:2].sum(), lift[2]]) / days
        if day in MORNINGS:
            states[day] = state.customers.copy()
            probability[day] = purchase_probability(state, company.second(day), float(today.advertising.lift[:2].sum()))
        orders = today.orders
        who.append(orders.customer)
        when.append(orders.at)
        spent.append(np.bincount(orders.line_order, orders.amount_cents, len(orders.at)))
        state = today.after
    drove = float(drive[0]), float(drive[1])
    return Past(company, np.concatenate(who), np.concatenate(when), np.concatenate(spent), states, probability, drove)


def rows(past: Past, day: int) -> pd.DataFrame:
    """One row per customer on the morning of a day: features, what they then did, and the hidden truth."""
    people, now = past.states[day], past.company.second(day)
    n, begins = len(people), past.company.second(0)

    def count(chosen: Any, weights: Any = None) -> Any:
        return np.bincount(past.customer[chosen], None if weights is None else weights[chosen], minlength=n)[:n]

    before, euro = past.at < now, past.cents / 100
    month, week = before & (past.at >= now - WINDOW * DAY), before & (past.at >= now - 7 * DAY)
    after = (past.at >= now) & (past.at < now + HORIZON * DAY)
    last = np.full(n, -np.inf)
    np.maximum.at(last, past.customer[before], past.at[before].astype(float))
    origin = np.maximum((people["created"] - begins) // DAY, 0)
    dated = pd.DataFrame({"who": past.customer, "day": (past.at - begins) // DAY, "euro": euro, "after": after, "before": before})
    again = dated[dated.before & (dated.day > origin[np.minimum(dated.who, n - 1)])].groupby("who")
    repeat = again.agg(x=("day", "nunique"), last=("day", "max"), euro=("euro", "sum")).reindex(range(n)).fillna(0)
    frame = pd.DataFrame(
        {
            "recency_days": np.minimum((now - last) / DAY, WINDOW), "tenure_days": np.minimum((now - people["created"]) / DAY, WINDOW),
            "orders_7d": count(week), "orders_28d": count(month), "spend_28d": count(month, euro),
            "mean_basket_28d": count(month, euro) / np.maximum(count(month), 1),
            "repeat_days": repeat["x"], "last_repeat_day": np.where(repeat["x"] > 0, repeat["last"] - origin, 0),
            "days_observed": np.maximum(day - 1 - origin, 0), "mean_repeat_spend": repeat["euro"] / np.maximum(repeat["x"], 1),
            "consent": people["consent"][:, 0].astype(float),
            "mailed": (people["consent"][:, 0] & mailed(np.arange(n))).astype(float), "spend_after": count(after, euro),
            "bought": (count(after) > 0).astype(float),
            "order_days_after": dated[dated.after].groupby("who")["day"].nunique().reindex(range(n)).fillna(0),
            "probability": past.probability[day], "regular": people["regular"], "alive": people["death"] > now,
            "rate": people["rate"], "spending": people["spending"],
        }
    )  # fmt: skip
    frame["days_observed"] = np.maximum(frame["days_observed"], frame["last_repeat_day"])
    return frame[~people["deleted"]].reset_index(drop=True)


def one(seed: int) -> dict[str, Any]:
    """All figures of one company."""
    past = simulated(seed)
    early, later = rows(past, BEFORE), rows(past, LATER)
    return {"seed": seed, **propensity(early, later), **value(early, later), **segments(later), **offers(early, later), **whole_life(seed)}


def propensity(early: pd.DataFrame, later: pd.DataFrame) -> dict[str, Any]:
    """AUC beside the simple rule and the best anybody could have; slope; which kind was chosen."""
    found = compare_candidates(early[RFM], early["bought"], early.index, later[RFM], later["bought"])
    seen = evaluate(found.chosen.probability(later[RFM]), later["bought"])
    rule = evaluate(1 - (later["recency_days"] + 1) / (WINDOW + 2), later["bought"])
    return {"auc": seen.auc, "auc_rule": rule.auc, "auc_best": achievable_auc(later["probability"]), "slope": seen.calibration_slope,
            "brier": seen.brier, "kind": found.kind}  # fmt: skip


def value(early: pd.DataFrame, later: pd.DataFrame) -> dict[str, Any]:
    """Forecast of order days in 30 days beside averages of tiers; who has left for good."""
    did = later["order_days_after"].to_numpy()
    model = fit_customer_value(later[HISTORY]).calibrated(early[HISTORY], early["order_days_after"].to_numpy())
    expected = model.orders(later[HISTORY], HORIZON)
    rule = tier_averages(early["repeat_days"], early["days_observed"] - early["last_repeat_day"], early["order_days_after"],
                         later["repeat_days"], later["days_observed"] - later["last_repeat_day"])  # fmt: skip
    ours, simple = forecast_figures(expected, did), forecast_figures(rule, did)
    buyers = (later["repeat_days"] > 3).to_numpy()
    left = evaluate(1 - model.probability_alive(later[HISTORY])[buyers], ~later["alive"].to_numpy()[buyers])
    return {"total": ours["total_ratio"], "total_rule": simple["total_ratio"], "deviance": float(poisson_deviance(expected, did).mean()),
            "deviance_rule": simple["deviance"], "churn_auc": left.auc}  # fmt: skip


def life_left(past: Past, now: pd.DataFrame) -> Any:
    """What each customer will truly spend in the remaining life, in expectation and discounted: 0 for who has left, else
    rate × demand and lifts as they have been × money per order ÷ (chance a day to leave or be deleted + discount)."""
    size = 1 + 0.35 * past.states[DAYS - 1]["spending"] ** 1.5
    known = past.customer < len(size)
    euro = past.cents[known].sum() / 100 / size[past.customer[known]].sum()
    rate = now["alive"] * now["rate"] * (past.drive[0] + past.drive[1] * now["mailed"])
    fading = 1 / LIFETIME_DAYS + DELETION_DAILY + np.log(1 + DISCOUNT) / 364
    return (rate * euro * (1 + 0.35 * now["spending"] ** 1.5) / fading).to_numpy()


def whole_life(seed: int, customers: int = MANY) -> dict[str, Any]:
    """Residual value of the whole remaining life at the end of the history, beside averages of tiers given the true total.

    Many customers, because few leave within a history of 90 days: of 2,000 about 70, so that their leaving rate is told to 12 %.
    """
    past = simulated(seed, customers)
    then, now = rows(past, LATER), rows(past, DAYS - 1)
    model = fit_customer_value(now[HISTORY], DISCOUNT)
    told, truth = model.table(now[HISTORY]), life_left(past, now)
    rule = tier_averages(then["repeat_days"], then["days_observed"] - then["last_repeat_day"], then["spend_after"],
                         now["repeat_days"], now["days_observed"] - now["last_repeat_day"])  # fmt: skip
    mine, rule = told["value_life"].to_numpy(), rule * truth.sum() / rule.sum()
    table = by_decile(mine, truth)
    buyers = (now["repeat_days"] > 3).to_numpy()
    left = ~now["alive"].to_numpy()[buyers]
    held = table[table["customers"] * table["predicted"] > 0.05 * mine.sum()]
    return {
        "life": float(mine.sum() / truth.sum()),
        "life_off": float(np.abs(held["ratio"] - 1).max()),
        "life_error": float(np.abs(mine - truth).mean() / truth.mean()),
        "life_error_rule": float(np.abs(rule - truth).mean() / truth.mean()),
        "left_told": float(told["churned"].to_numpy()[buyers].mean()),
        "left_true": float(left.mean()),
        "left_of": int(buyers.sum()),
        "value_model": type(model.buying).__name__,
    }


def segments(later: pd.DataFrame) -> dict[str, Any]:
    """Agreement (ARI) with the hidden types, beside plain k-means told their number."""
    from sklearn.metrics import adjusted_rand_score
    from sklearn.preprocessing import scale

    chosen = [*RFM]
    found = fit_segments(later[chosen], later["spend_28d"])
    plain = k_means(scale(later[chosen].to_numpy()), 2)
    truth = later["regular"] & later["alive"]
    return {"ari": adjusted_rand_score(truth, found.table(later[chosen])["segment"]), "ari_plain": adjusted_rand_score(truth, plain),
            "segments": len(found.centres)}  # fmt: skip


def offers(early: pd.DataFrame, later: pd.DataFrame) -> dict[str, Any]:
    """Share of the best possible profit that mailing by the learnt effect earns, beside mailing everybody."""
    model = fit_newsletter(early[RFM], early["mailed"], early["order_days_after"])
    lift = sum(NEWSLETTER_LIFT.values()) / 7
    basket = later["spend_28d"].sum() / max(later["orders_28d"].sum(), 1)
    size = later["spending"] ** 1.5
    buying = later["alive"] * later["rate"]
    truth = buying * lift * HORIZON * basket * size / np.average(size, weights=buying)
    profit = truth * MARGIN - COST
    best = float(profit.clip(lower=0).sum())
    chosen = model.effect(later[RFM]) * MARGIN > COST
    return {"policy": float(profit[chosen].sum()) / best, "policy_all": float(profit.sum()) / best, "mailed": float(chosen.mean())}


def run(file: Path, minutes: float, tell: Any = print) -> None:
    """Work through the missing seeds until the time is over."""
    until = time.monotonic() + 60 * minutes
    done = {r["seed"] for r in known(file)}
    file.parent.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS:
        if seed in done or time.monotonic() > until:
            continue
        begun = time.process_time()
        result = one(seed) | {"cpu_seconds": round(time.process_time() - begun, 1)}
        with file.open("a") as out:
            out.write(json.dumps(result) + "\n")
        tell(f"customers, seed {seed}: {result}")


def known(file: Path) -> list[dict[str, Any]]:
    """The seeds written down."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


FIGURES = (
    ("propensity: AUC on later time", "auc", "auc_rule", "auc_best", "ranking by recency", "ranking by the truth"),
    ("propensity: calibration slope", "slope", "", "", "", "1"),
    ("value: forecast ÷ happened, 30 days", "total", "total_rule", "", "averages of tiers", "1"),
    ("value: Poisson deviance (less is better)", "deviance", "deviance_rule", "", "averages of tiers", ""),
    ("value of the whole remaining life: forecast ÷ truth", "life", "", "", "", "1"),
    ("the same: error per customer ÷ mean value", "life_error", "life_error_rule", "", "averages of tiers, told the total", "0"),
    ("the same: worst tenth of customers that holds value, off by", "life_off", "", "", "", "0"),
    ("churn: forecast share of buyers who have left", "left_told", "", "left_true", "", "the true share"),
    ("churn: AUC among those with more than 3 purchases", "churn_auc", "", "", "", ""),
    ("segments: ARI with the hidden types", "ari", "ari_plain", "", "plain k-means, true k", "1"),
    ("offers: share of the best possible profit", "policy", "policy_all", "", "mailing everybody", "1"),
)


def tables(file: Path) -> list[str]:
    """The section's table: mean over seeds and its 95 % interval (t), simple rule and best possible beside it."""
    found = pd.DataFrame(known(file))
    if found.empty:
        return ["No company measured yet."]
    lines = ["| figure | ours | 95 % interval | simple rule | best possible |", "|---|---|---|---|---|"]
    for name, ours, rule, best, rule_name, best_name in FIGURES:
        mean, low, high = interval(found[ours].to_numpy())
        simple = f"{found[rule].mean():.3f} ({rule_name})" if rule else ""
        most = f"{found[best].mean():.3f} ({best_name})" if best else best_name
        lines.append(f"| {name} | {mean:.3f} | {low:.3f} to {high:.3f} | {simple} | {most} |")
    kinds = ", ".join(f"{kind} {count}" for kind, count in found["kind"].value_counts().items())
    spent = f"{found['cpu_seconds'].mean():.0f} CPU-seconds per company"
    return [*lines, "", f"Companies: {len(found)}. Kind of propensity model chosen: {kinds}. {spent}."]


def interval(values: Any) -> tuple[float, float, float]:
    """Mean and its 95 % t interval."""
    from scipy.stats import t

    half = float(t.ppf(0.975, max(len(values) - 1, 1)) * values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return float(values.mean()), float(values.mean()) - half, float(values.mean()) + half
