from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Snapshot, at_least, between, holds, one_of, table

DAYS = 28
PROTECTED = ("segment", "country", "age_group")
"""Attributes by which reach is compared; age only among those who told it."""


@table(
    key=("as_of_date", "kind", "campaign", "among", "attribute", "group_name"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("as_of_date", "date", "The day at whose end it was computed."),
        Column("kind", "string", "offer: decided for the next day; sent: mails of 28 days.", one_of("offer", "sent")),
        Column("campaign", "string", "The offer or the campaign; any: whatever offer."),
        Column("among", "string", "Whose share it is: all customers; for mails, those who agreed to e-mail, too.",
               one_of("all customers", "agreed to e-mail")),
        Column("attribute", "string", "Protected attribute.", one_of(*PROTECTED)),
        Column("group_name", "string", "Group of it; those below 30 customers are others."),
        Column("customers", "bigint", "Customers of the group.", at_least(30)),
        Column("reached", "bigint", "How many of them it reached.", at_least(0)),
        Column("share", "double", "Share of them.", between(0, 1)),
        Column("ratio", "double", "Share ÷ that of the best reached group.", between(0, 1)),
        Column("low", "double", "Interval of the ratio; all intervals of a campaign hold together at 95 %.", at_least(0)),
        Column("high", "double", "Its upper end.", at_least(0)),
        Column("disparate", "boolean", "Whether the whole interval lies below four fifths."),
    ],
    checks=[holds("NOT disparate", "reaches_all_groups_alike")],
)  # fmt: skip
def pred_campaign_reach(
    pred_next_best_offer: Snapshot, email_events: Snapshot, feat_customer_behaviour: Snapshot, feat_customer_survey: Snapshot, as_of: AsOf
) -> DataFrame:
    """Whom offers and campaigns reach, by kind of customer, country and age: each group's share beside that of the best reached one.

    The four-fifths rule (EEOC, 29 CFR 1607.4 D) with intervals. A group passed by is flagged; people judge whether there is a reason.
    """
    day, one = F.lit(as_of).cast("date"), ["kind", "campaign", "among"]
    told = feat_customer_survey.where(F.col("as_of_date") == day).select("customer_id", "age_group")
    people = feat_customer_behaviour.where(F.col("as_of_date") == day).join(told, "customer_id", "left")
    groups = F.array(*(F.struct(F.lit(name).alias("attribute"), F.col(name).alias("group")) for name in PROTECTED))
    whose = F.expr("CASE WHEN has_email_consent = 1 THEN array('all customers', 'agreed to e-mail') ELSE array('all customers') END")
    belongs = people.select("customer_id", whose.alias("whose"), F.explode(groups).alias("one")).select(
        "customer_id", F.explode("whose").alias("among"), "one.attribute", F.coalesce("one.group", F.lit("unknown")).alias("group")
    ).where("attribute <> 'age_group' OR group <> 'unknown'")  # fmt: skip

    offered = pred_next_best_offer.where((F.col("as_of_date") == day) & (F.col("offer") != "none"))
    sent = email_events.where("event = 'sent'").where(
        (F.col("happened_at") < F.date_add(day, 1)) & (F.col("happened_at") >= F.date_add(day, 1 - DAYS))
    )
    reached = (
        offered.select("customer_id", F.lit("offer").alias("kind"), F.explode(F.array("offer", F.lit("any"))).alias("campaign"))
        .unionByName(sent.select("customer_id", F.lit("sent").alias("kind"), "campaign"))
        .distinct()
    )
    by_mail = F.expr("among = 'all customers' OR kind = 'sent' OR campaign LIKE 'mail%'")
    hits = belongs.join(reached, "customer_id").where(by_mail).groupBy(*one, "attribute", "group").agg(F.count(F.lit(1)).alias("reached"))
    sizes = belongs.groupBy("among", "attribute", "group").agg(F.count(F.lit(1)).alias("customers"))
    counts = hits.select(*one).distinct().join(sizes, "among").join(hits, [*one, "attribute", "group"], "left").fillna(0, "reached")

    def compared(rows: Any) -> Any:
        from lakehouse.science.fairness import campaign_reach

        made = campaign_reach(rows).rename(columns={"group": "group_name"})
        return made.assign(**{name: rows[name].iloc[0] for name in ("kind", "campaign", "among")})

    schema = (
        "kind string, campaign string, among string, attribute string, group_name string, customers bigint, reached bigint, share double, "
        "ratio double, low double, high double, disparate boolean"
    )
    found = counts.groupBy(*one).applyInPandas(compared, schema)
    return found.select(day.alias("as_of_date"), *(name.split()[0] for name in schema.split(", ")))
