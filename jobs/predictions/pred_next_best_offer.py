from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Model, Snapshot, at_least, between, one_of, references, table

OFFERS = {
    "mail: newsletter": (1.0, 0.5), "web: invitation": (0.10, 0.05), "mobile: invitation": (0.10, 0.05), "shop: invitation": (0.06, 0.10),
}  # fmt: skip
"""Share of the newsletter's effect that the contact brings (an invitation is taken by some), and its cost in 30 days, EUR."""
MARGIN, BUDGET = 0.4, 400.0
CONTACTS = 4
"""Mails in seven days after which a customer is left alone."""


@table(
    key=("customer_id", "as_of_date"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("customer_id", "string", "The shop's customer number.", sensitivity="pseudonym"),
        Column("as_of_date", "date", "The day at whose end it was decided. Web, mobile, mail and shop all read this one row."),
        Column("effect", "double", "What the newsletter adds to the spending of 30 days, EUR."),
        Column("effect_left", "double", "Share of it that earlier mails leave; 1 where fatigue is not told from chance.", between(0, 1)),
        Column("offer", "string", "Channel and offer, or none.", one_of(*OFFERS, "none", action="stop")),
        Column("net_gain", "double", "Effect × share left × margin - cost, EUR.", at_least(0)),
        Column("cost", "double", "Of the contact, EUR.", at_least(0)),
        Column("reason", "string", "Why this and not another.",
               one_of("best net gain", "no offer pays", "not allowed", "contact limit", "budget or offer limit")),
        Column("model_version", "int", "Version of newsletter_uplift that computed the effect."),
    ],
    checks=[references("customers", "customer_id")],
)  # fmt: skip
def pred_next_best_offer(
    feat_customer_rfm: Snapshot, feat_customer_behaviour: Snapshot, feat_customer_contacts: Snapshot, newsletter_uplift: Model, as_of: AsOf
) -> DataFrame:
    """One decision per customer and day: which offer, on which channel, or none, by additional margin under consent, contact limit
    and budget."""
    key = ["customer_id", "as_of_date"]
    contacts = feat_customer_contacts.select(*key, "mails_7d", "contact_pressure", "refuses_mail")
    today = feat_customer_rfm.where(F.col("as_of_date") == F.lit(as_of)).join(feat_customer_behaviour, key).join(contacts, key)
    scored = newsletter_uplift.table(today, "effect double, effect_left double")
    offers, margin, budget, most = dict(OFFERS), MARGIN, BUDGET, CONTACTS

    def decided(rows: Any) -> Any:
        from lakehouse.science.uplift.offers import next_best

        made = next_best(rows, offers, margin, budget, most)
        return rows[["customer_id", "as_of_date", "effect", "effect_left"]].merge(made, on="customer_id")

    schema = (
        "customer_id string, as_of_date date, effect double, effect_left double, offer string, net_gain double, cost double, reason string"
    )
    made = scored.groupBy("as_of_date").applyInPandas(decided, schema)
    return made.withColumn("model_version", F.lit(newsletter_uplift.version))
