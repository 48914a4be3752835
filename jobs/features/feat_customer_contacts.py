from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Snapshot, at_least, between, holds, references, table

from .feat_customer_rfm import at_end_of

HALF_LIFE_DAYS = 7.0


def contacted_on(people: DataFrame, email_events: DataFrame, campaign_assignments: DataFrame) -> DataFrame:
    """The mails each customer had got by their moment, and what the person (no program) did with those of 28 days; the newsletter's lot."""
    moments = people.select("customer_id", "as_of_date", "moment")
    told = email_events.select("customer_id", "mailing_id", "campaign", "event", "happened_at", "is_machine", "is_hard_bounce")
    age = F.expr("(unix_seconds(moment) - unix_seconds(happened_at)) / 86400.0")
    known = moments.join(told, "customer_id").where("happened_at < moment").withColumn("age", age)

    def mails(event: str, days: int, of: str = "true") -> F.Column:
        wanted = f"event = '{event}' AND NOT is_machine AND age <= {days} AND {of}"
        return F.count_distinct(F.expr(f"CASE WHEN {wanted} THEN mailing_id END")).cast("int")

    counted = known.groupBy("customer_id", "as_of_date").agg(
        mails("sent", 7).alias("mails_7d"), mails("sent", 28).alias("mails_28d"),
        mails("opened", 28).alias("opened_28d"), mails("clicked", 28).alias("clicked_28d"),
        mails("sent", 28, "campaign = 'offer'").alias("offers_28d"), mails("opened", 28, "campaign = 'offer'").alias("offers_opened_28d"),
        F.sum(F.expr(f"CASE WHEN event = 'sent' THEN pow(2.0D, -age / {HALF_LIFE_DAYS}D) END")).alias("contact_pressure"),
        F.max(F.expr("CAST(event = 'complained' OR is_hard_bounce AS int)")).alias("refuses_mail"),
        F.max("happened_at").alias("contacts_known_until"),
    )  # fmt: skip
    counts = ("mails_7d", "mails_28d", "opened_28d", "clicked_28d", "offers_28d", "offers_opened_28d", "refuses_mail")
    drawn = campaign_assignments.where("campaign = 'newsletter'").select("customer_id", "arm", "assigned_at")
    lots = moments.join(drawn, "customer_id").where("assigned_at < moment").groupBy("customer_id", "as_of_date").agg(
        F.max((F.col("arm") == "mailed").cast("int")).alias("newsletter_lot")
    )  # fmt: skip
    both = moments.join(counted, ["customer_id", "as_of_date"], "left").join(lots, ["customer_id", "as_of_date"], "left")
    return both.select(
        "customer_id", "as_of_date", *(F.coalesce(F.col(name), F.lit(0)).alias(name) for name in counts),
        F.coalesce("contact_pressure", F.lit(0.0)).alias("contact_pressure"), "newsletter_lot", "contacts_known_until",
    )  # fmt: skip


@table(
    key=("customer_id", "as_of_date"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("customer_id", "string", "The shop's customer number.", sensitivity="pseudonym"),
        Column("as_of_date", "date", "What happened until the end of this day (UTC) is known, nothing after it."),
        Column("mails_7d", "int", "Mails sent to them in 7 days.", at_least(0)),
        Column("mails_28d", "int", "Mails sent to them in 28 days.", at_least(0)),
        Column("opened_28d", "int", "Mails the person opened in 28 days; image proxies do not count.", at_least(0)),
        Column("clicked_28d", "int", "Mails the person clicked in in 28 days; link scanners do not count.", at_least(0)),
        Column("offers_28d", "int", "Offers among the mails of 28 days.", at_least(0)),
        Column("offers_opened_28d", "int", "Offers the person opened in 28 days.", at_least(0)),
        Column("contact_pressure", "double", "Mails so far, each counting half after 7 days, a quarter after 14.", at_least(0)),
        Column("refuses_mail", "int", "1 if the mailbox does not exist or the customer complained, ever before.", between(0, 1)),
        Column("newsletter_lot", "int", "1 if the lot lets newsletters reach them, 0 if it holds them out; null where none was drawn."),
        Column("contacts_known_until", "timestamp", "When the newest record used was made: before the day's end."),
    ],
    checks=[
        references("customers", "customer_id"),
        holds("contacts_known_until < date_add(as_of_date, 1)", "nothing_known_later", action="stop"),
    ],
)
def feat_customer_contacts(email_events: Snapshot, campaign_assignments: Snapshot, customers: Snapshot, as_of: AsOf) -> DataFrame:
    """Engagement by mail: how often each customer had been written to at the end of a day, and what came of it."""
    return contacted_on(at_end_of(as_of, customers), email_events, campaign_assignments)
