from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Touched, history, table


@table(
    key="consent_sk",
    owner="privacy",
    refresh="nightly",
    columns=[
        Column("consent_sk", "string", "One consent in one interval.", sensitivity="pseudonym"),
        Column("consent_id", "string", "Customer number and purpose.", sensitivity="pseudonym"),
        Column("customer_id", "string", "Whose consent it is.", sensitivity="pseudonym"),
        Column("purpose", "string", "What for."),
        Column("is_granted", "boolean", "Whether the customer agreed; unknown counts as no."),
        Column("valid_from", "timestamp", "From when on, UTC."),
        Column("valid_to", "timestamp", "Until when, UTC; empty while it holds."),
        Column("is_current", "boolean", "Whether it holds now."),
    ],
)
def dim_consent(shop__consents: Touched["consent_id"]) -> DataFrame:
    """What customers agreed to, with its history (type 2): a row for each interval in which the answer stayed the same."""
    answers = shop__consents.withColumn("is_granted", F.coalesce("is_granted", F.lit(False)))
    intervals = history(answers, key="consent_id", tracked=("customer_id", "purpose", "is_granted"))
    return intervals.select(
        F.sha2(F.concat_ws("|", "consent_id", F.unix_micros("valid_from").cast("string")), 256).alias("consent_sk"),
        "consent_id", "customer_id", "purpose", "is_granted", "valid_from", "valid_to", "is_current",
    )  # fmt: skip
