from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Snapshot, between, table

DAYS = 7
FIGURES = (
    "experiment string, kpi string, arm string, control double, treatment double, effect double, relative double, error double, "
    "low double, high double, p_value double, probability_better double, alpha double, significant boolean, side string, "
    "units bigint, control_arm string, control_units bigint, arm_units bigint, sample_ratio_p double, sample_ratio string"
)


@table(
    key=("experiment", "kpi", "arm"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("experiment", "string", "The campaign that was sent in variants."),
        Column("kpi", "string", f"What share of mails was opened, clicked or led to unsubscribing within {DAYS} days, by people."),
        Column("arm", "string", "The variant compared with the first one."),
        Column("control", "double", "Share with the first variant."),
        Column("treatment", "double", "Share with this variant."),
        Column("effect", "double", "Treatment less control; empty where the sample ratio withholds the result."),
        Column("relative", "double", "Effect ÷ control."),
        Column("error", "double", "Standard error of the effect."),
        Column("low", "double", "Lower end of the effect's interval: 90 %, shared among comparisons where they are more than three."),
        Column("high", "double", "Upper end."),
        Column("p_value", "double", "Chance of such a difference without an effect.", between(0, 1)),
        Column("probability_better", "double", "Chance that the variant's share is the higher one, with a flat prior.", between(0, 1)),
        Column("alpha", "double", "What the p-value is to be read against."),
        Column("significant", "boolean", "Whether the p-value is below it."),
        Column("side", "string", "two-sided, or the direction declared."),
        Column("units", "bigint", f"Mails sent at least {DAYS} days before the newest event."),
        Column("control_arm", "string", "The first variant."),
        Column("control_units", "bigint", "Mails with the first variant."),
        Column("arm_units", "bigint", "Mails with this variant."),
        Column("sample_ratio_p", "double", "Chance of such sizes of the variants under an even lot.", between(0, 1)),
        Column("sample_ratio", "string", "as planned, suspicious (below .01), blocked (below .001: the result is withheld)."),
    ],
)
def fct_experiment_results(email_events: Snapshot) -> DataFrame:
    """What the variants of a mail do: each mail counts in the variant drawn for it, whether or not it was delivered."""

    def results(found: Any) -> Any:
        from lakehouse.science.experiments.reading import read_variants, unread

        read = read_variants(str(found["campaign"].iloc[0]), found)
        return unread() if read is None else read[0]

    return mails(email_events).groupBy("campaign").applyInPandas(results, FIGURES)


def mails(email_events: DataFrame) -> DataFrame:
    """One row per mail of a campaign in variants whose days are over: campaign, arm, opened, clicked, unsubscribed (0 or 1)."""
    newest = email_events.agg(F.max("happened_at").alias("newest"))
    sent = email_events.where("event = 'sent' AND variant IS NOT NULL").select(
        "mailing_id", "customer_id", "campaign", F.col("variant").alias("arm"), F.col("happened_at").alias("sent_at")
    )
    ripe = sent.crossJoin(newest).where(f"sent_at + INTERVAL {DAYS} DAYS <= newest").dropDuplicates(["mailing_id", "customer_id"])
    after = email_events.where("NOT is_machine").select("mailing_id", "customer_id", "event", "happened_at")
    within = F.expr(f"event IS NOT NULL AND happened_at >= sent_at AND happened_at < sent_at + INTERVAL {DAYS} DAYS")
    kpis = [F.max(F.when(within & (F.col("event") == kpi), 1.0).otherwise(0.0)).alias(kpi) for kpi in ("opened", "clicked", "unsubscribed")]
    read = ripe.join(after, ["mailing_id", "customer_id"], "left").groupBy("campaign", "arm", "mailing_id", "customer_id").agg(*kpis)
    return read.drop("mailing_id", "customer_id")
