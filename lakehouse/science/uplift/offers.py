"""The effect of one offer per customer as something that can be kept, and the decision across channels made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lakehouse.science.fairness.gaps import reach, with_others
from lakehouse.science.propensity.logistic import CalibratedLogistic, fit_calibrated_logistic
from lakehouse.science.propensity.unfit import UnfitData, Vector, numbers
from lakehouse.science.uplift.decisions import Limits, decide
from lakehouse.science.uplift.fatigue import Fatigue
from lakehouse.science.uplift.learners import Uplift, fit_uplift
from lakehouse.science.uplift.outcomes import Matrix, Predict, ridge
from lakehouse.science.uplift.policy import policy_difference
from lakehouse.science.uplift.qini import qini, qini_curve

CLIP, HELD = (0.05, 0.95), 2.0


@dataclass(frozen=True)
class OfferModel:
    """Effect of the offer on orders, spending per order of everybody, and the chance of having the offer as things are.

    chance: None where it was drawn by lot. fatigue: None where it cannot be told.
    """

    uplift: Uplift
    chance: CalibratedLogistic | None
    basket: float
    fatigue: Fatigue | None = None

    def propensity(self, features: pd.DataFrame, share: float) -> Vector:
        """Chance of having the offer, within .05 and .95."""
        return _chances(self.chance, features, share)

    def table(self, features: pd.DataFrame) -> pd.DataFrame:
        """Column effect: additional spending in the period, in money; effect_left: its share that the mails they had leave, by
        their contact_pressure, 1 where fatigue cannot be told from chance."""
        left = np.ones(len(features))
        if self.fatigue is not None and self.fatigue.told() and "contact_pressure" in features.columns:
            left = self.fatigue.left(features["contact_pressure"])
        effect = self.effect(features.drop(columns="contact_pressure", errors="ignore"))
        return pd.DataFrame({"effect": effect, "effect_left": left}, index=features.index)

    def effect(self, features: pd.DataFrame) -> Vector:
        """Additional orders × spending per order, the customer's own held near everybody's by two orders' weight."""
        count = numbers(features["orders_28d"], "orders_28d")
        own = (count * numbers(features["mean_basket_28d"], "mean_basket_28d") + HELD * self.basket) / (count + HELD)
        return np.asarray(self.uplift.effect(features) * own)


def fit_newsletter(features: pd.DataFrame, treated: pd.Series[float], orders: pd.Series[float], penalty: float = 30.0) -> OfferModel:
    """DR learner of orders with a modelled chance of treatment; the effect is a line over the orders expected anyway.

    A further mail moves those most who buy most: ψ of the DR learner is regressed on μ(x) alone, τ = a + b·μ(x), not on every
    feature: a campaign of thousands tells two numbers, not twenty (effect models by predicted risk, Kent et al. 2020, Annals of
    Internal Medicine 172). Orders, not spending, are the outcome: the amounts would only add their own noise.

    Raises:
        UnfitData: one arm only.
    """
    x, t, y = features.reset_index(drop=True), treated.to_numpy(), numbers(orders, "orders")

    def over_expected(rows: Matrix, psi: Vector) -> Predict:
        expected = ridge(penalty)(rows, y)
        line = ridge(1.0)(_standing(expected(rows)), psi)
        return lambda new: line(_standing(expected(new)))

    def _standing(values: Vector) -> Matrix:
        return np.maximum(values, 0.0)[:, None]

    try:
        chance: CalibratedLogistic | None = fit_calibrated_logistic(x, t)
    except UnfitData:
        chance = None
    e = _chances(chance, x, float(t.mean()))
    fitted = fit_uplift(x, t, y, learner="DR", propensity=e, outcome_model=ridge(penalty), effect_model=over_expected)
    bought = x["orders_28d"] > 0
    basket = float(np.average(x.loc[bought, "mean_basket_28d"], weights=x.loc[bought, "orders_28d"])) if bought.any() else 0.0
    return OfferModel(fitted, chance, basket)


def offer_report(
    model: OfferModel,
    features: pd.DataFrame,
    treated: pd.Series[float],
    spent: pd.Series[float],
    margin: float,
    cost: float,
    groups: pd.DataFrame,
) -> tuple[dict[str, float], str]:
    """Figures and a page on later rows: Qini with interval; profit per customer of mailing who pays, against nobody and everybody; what
    further mails cost in attention; whom that reaches, by the protected attributes in `groups` (metric least_reach: the lowest ratio to
    the best reached group)."""
    from lakehouse.science.charts import bars, grid, lines, page

    x, t, y = features.reset_index(drop=True), treated.to_numpy(), spent.to_numpy()
    effect, e = model.effect(x), model.propensity(x, float(t.mean()))
    action = (effect * margin > cost).astype(float)
    ranked = qini(effect, t, y)
    metrics = {"later_qini": ranked.coefficient, "later_qini_low": ranked.low, "later_qini_high": ranked.high}
    metrics |= {"later_mean_effect": float(effect.mean()), "later_share_mailed": float(action.mean())}
    against = {}
    if 0 < action.mean() < 1:
        for name, other in (("nobody", np.zeros(len(t))), ("everybody", np.ones(len(t)))):
            found = policy_difference(action, other, t, y * margin, propensity=e, cost=cost)
            against[name] = found.value
            metrics |= {f"later_profit_over_{name}": found.value, f"later_profit_over_{name}_low": found.low}
            metrics[f"later_profit_over_{name}_high"] = found.high
    reached = [
        reach(action, group).pipe(_named, str(name))
        for name, group in groups.reset_index(drop=True).apply(with_others).items()
        if action.any() and with_others(group).nunique() > 1
    ]
    if model.fatigue is not None:
        metrics |= {"fatigue_rate": model.fatigue.rate, "fatigue_rate_low": model.fatigue.low, "fatigue_rate_high": model.fatigue.high}
    whom = pd.concat(reached) if reached else None
    metrics["least_reach"] = 1.0 if whom is None else float(whom["ratio"].min())
    choice = "everybody" if action.all() else "some" if action.any() else "nobody"
    alone = f"<p>By the figures of earlier days it would mail {choice}: nothing to compare.</p>"
    shares = {"mailed": float(action.mean()), "left alone": float(1 - action.mean())}
    curve = qini_curve(effect, t, y)
    points = [(float(a), float(b)) for a, b in zip(curve.iloc[:, 0], curve.iloc[:, 1], strict=True)]
    step = max(len(points) // 60, 1)
    ranked_curve = [*points[::step], points[-1]]
    chart = lines({"by effect": ranked_curve, "at random": [points[0], points[-1]]}, "share mailed", "gain", dashed=["at random"])
    text = page(
        "Newsletter: whom it moves",
        [
            ("Figures", grid(pd.DataFrame({"value": metrics}))),
            ("Qini", chart),
            ("Profit per customer over", bars(against, "EUR in 30 days") if against else alone + bars(shares, "share of customers")),
            ("Does another mail tire?", f"<p>{_fatigue_told(model.fatigue)}</p>"),
            ("Whom it reaches (ratio to the best reached group; below .8 is the usual sign of disparity)",
             alone if whom is None else grid(whom)),
        ],
    )
    return metrics, text


def next_best(
    rows: pd.DataFrame, offers: Mapping[str, tuple[float, float]], margin: float, budget: float, contacts: int = 4
) -> pd.DataFrame:
    """One decision per customer from the newsletter's effect: mail those who agreed, invite the others where they are met.

    Args:
        rows: customer_id, effect (money), has_email_consent, visits_28d, phone_visit_share_28d, orders_28d, mails_7d, refuses_mail;
            effect_left (share of the effect that the mails they had leave), 1 unless given.
        offers: "mail: newsletter", "web: invitation", "mobile: invitation" and "shop: invitation" → (share of the effect that the
            contact brings, cost in money).
        margin, budget: of spending; for all contacts, in money.
        contacts: who had as many mails in seven days gets nothing more; who refuses mail (bounced, complained) is never mailed.

    Returns:
        Frame with customer_id, offer, net_gain, cost and reason.
    """
    index = pd.Index(rows["customer_id"])
    agreed = (rows["has_email_consent"].to_numpy() > 0) & (rows["refuses_mail"].to_numpy() == 0)
    phone = rows["phone_visit_share_28d"].to_numpy() > 0.5
    met, buys = rows["visits_28d"].to_numpy() > 0, rows["orders_28d"].to_numpy() > 0
    open_to = {"mail: newsletter": agreed, "web: invitation": ~agreed & met & ~phone, "mobile: invitation": ~agreed & met & phone,
               "shop: invitation": ~agreed & buys}  # fmt: skip
    effect = rows["effect"].to_numpy(dtype=np.float64)
    effects = pd.DataFrame({name: effect * share for name, (share, _) in offers.items()}, index=index)
    allowed = pd.DataFrame({name: open_to[name] for name in offers}, index=index)
    costs = {name: cost for name, (_, cost) in offers.items()}
    limits = Limits(budget=budget, contacts_per_customer=contacts)
    made = decide(
        effects, np.ones(len(rows)), costs, margin=margin, recent_contacts=rows["mails_7d"],
        tiredness=rows["effect_left"] if "effect_left" in rows.columns else None, allowed=allowed, limits=limits,
    )  # fmt: skip
    return made.reset_index(names="customer_id")


def _fatigue_told(fatigue: Fatigue | None) -> str:
    if fatigue is None:
        return "The mails do not tell: too few were drawn by lot. The contact limit of the decision stands alone."
    more = 1 - float(np.exp(-fatigue.rate))
    interval = f"rate {fatigue.rate:.3f}, {fatigue.low:.3f} to {fatigue.high:.3f}"
    said = f"With each further mail in their mailbox people open {abs(more):.1%} {'less' if more >= 0 else 'more'} ({interval})"
    if not fatigue.told():
        return f"{said}: no more than chance gives. The contact limit of the decision stands alone."
    return f"{said}; the decision takes the effect to fall as attention does, beyond a pressure of {fatigue.usual:.1f}."


def _named(table: pd.DataFrame, attribute: str) -> pd.DataFrame:
    return table.set_axis([f"{attribute}: {group}" for group in table.index])


def _chances(chance: CalibratedLogistic | None, features: pd.DataFrame, share: float) -> Vector:
    return np.full(len(features), share) if chance is None else np.clip(chance.probability(features), *CLIP)
