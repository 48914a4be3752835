from collections.abc import Mapping
from typing import Any

from pyspark.sql import functions as F

from lakehouse.declare import Fitted, NotEnoughData, Snapshot, model

COLUMNS = ("recency_days", "tenure_days", "orders_7d", "orders_28d", "spend_28d", "mean_basket_28d", "paid_share_28d", "weekend_share_28d")
FEWEST = 20


@model(
    owner="crm",
    tags="market",
    watched_by="pred_model_drift",
    parameters={"margin": 0.4, "cost": 0.5},
    assumes=[
        "Those who agreed to e-mail would have bought as others with the same features do; what features do not show stays unseen. "
        "The lot alone, among those who agreed, is the check.",
        "What the newsletter adds follows a line over what is expected anyway.",
        "Where further mails cost attention, effects fall as attention does.",
    ],
    limits=[
        "Told for the newsletter; an invitation on web, mobile or in the shop is taken to bring a declared share of it.",
        "30 days: purchases only brought forward are not taken off.",
        "Fatigue is told as a mean over customers by a lot drawn once, not for each person.",
    ],
)
def newsletter_uplift(feat_purchase_training: Snapshot, feat_customer_contacts: Snapshot, parameters: Mapping[str, Any]) -> Fitted:
    """What the newsletter adds to the spending of each customer in 30 days: a DR learner over who gets it.

    Who agreed to e-mail and is not held out by the lot gets it. Consent is not drawn: its chance given the features is modelled, and what
    features do not show stays unseen; the lot alone, among those who agreed, is the check on that (metric lot_effect with its
    interval). The figures are of the later day, by a learner fitted on earlier days: rank (Qini) and what mailing those who pay
    would bring.

    Fatigue: the lot that holds some out from newsletters, drawn once, leaves them fresher for offers; how much less often the others open
    those is the rate at which attention falls with mails. That effects fall as attention does is assumed. Where the rate cannot be told
    from chance, the declared contact limit of the decision stands alone.
    """
    from dataclasses import replace

    from lakehouse.science.uplift.lift import total_lift
    from lakehouse.science.uplift.offers import fit_newsletter, offer_report

    rows = feat_purchase_training.toPandas().sort_values(["as_of_date", "customer_id"], ignore_index=True)
    features = rows[list(COLUMNS)].astype(float)
    treated = rows["has_email_consent"].astype(float) * rows["newsletter_lot"].fillna(1).astype(float)
    spent = rows["spend_after"].astype(float)
    orders = rows["order_days_after"].astype(float)
    earlier, later = rows["part"] == "earlier", rows["part"] == "later"
    arms = {f"{part} {arm}": int(((rows["part"] == part) & (treated == value)).sum())
            for part in ("earlier", "later") for arm, value in (("with", 1.0), ("without", 0.0))}  # fmt: skip
    if min(arms.values()) < FEWEST:
        raise NotEnoughData(
            f"newsletter_uplift: rows with and without the newsletter: {arms}; {FEWEST} of each are needed. Wait, or load more history."
        )
    tired = _tired(feat_customer_contacts)
    tried = replace(fit_newsletter(features[earlier], treated[earlier], orders[earlier]), fatigue=tired)
    groups = rows.loc[later, ["segment", "country"]]
    metrics, page = offer_report(tried, features[later], treated[later], spent[later], parameters["margin"], parameters["cost"], groups)
    drawn = rows[later & (rows["has_email_consent"] == 1) & rows["newsletter_lot"].notna()]
    if drawn["newsletter_lot"].value_counts().reindex([0, 1], fill_value=0).min() >= FEWEST:
        lot = total_lift(drawn["order_days_after"].astype(float), drawn["newsletter_lot"].astype(float))
        metrics |= {"lot_effect": lot.difference, "lot_effect_low": lot.low, "lot_effect_high": lot.high}
    served = replace(fit_newsletter(features, treated, orders), fatigue=tired)
    return Fitted(served, (*COLUMNS, "contact_pressure"), metrics, {"report.html": page})


def _tired(contacts: Any) -> Any:
    """Fatigue of the newest day, or None where the mails do not tell it."""
    from lakehouse.science.unfit import UnfitData
    from lakehouse.science.uplift.fatigue import opens_tire

    newest = contacts.agg(F.max("as_of_date").alias("as_of_date"))
    rows = contacts.join(newest, "as_of_date").selectExpr(
        "newsletter_lot AS lot", "offers_28d AS mails", "offers_opened_28d AS opened", "contact_pressure AS pressure"
    )
    try:
        return opens_tire(rows.toPandas().astype(float))
    except UnfitData:
        return None
