from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Snapshot, at_least, between, one_of, references, table

DAYS = 8
"""Days whose values an audience remembers: members stay until they are clearly out."""
MARGIN = 0.4
LIKENESS = ("visits_28d", "pages_28d", "carts_28d", "phone_visit_share_28d", "has_email_consent", "tenure_days")
"""What is known of people who never bought, too."""


@table(
    key=("customer_id", "as_of_date"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("customer_id", "string", "The shop's customer number.", sensitivity="pseudonym"),
        Column("as_of_date", "date", "The day at whose end it was computed."),
        Column("marketing_group", "string", "The first rule that claims them (new, worth winning back, gone), else their segment."),
        Column("claimed_by", "string", "All rules that hold, '; ' between; empty where the segment decides."),
        Column("attitude", "string", "What they want above all, by their answers to surveys; empty without."),
        Column("audience", "string", "For ad platforms: high (best 20 % by value), low (last 30 %) or middle; who is in stays until "
               "clearly out.", one_of("high", "middle", "low")),
        Column("lookalike", "double", "How much who is not high resembles who is, by visits and consent: share of the others they "
               "resemble them at least as much as. Empty for high, and where the two cannot be told apart.", between(0, 1)),
        Column("conversion_value", "double", "What to tell bidding an order of theirs is worth: its margin and that of a year after it, "
               "capped at the 99 % quantile, EUR.", at_least(0)),
        Column("model_version", "int", "Version of customer_value behind it."),
    ],
    checks=[references("customers", "customer_id")],
)  # fmt: skip
def pred_customer_audience(
    pred_customer_value: Snapshot, pred_customer_segment: Snapshot, pred_customer_attitude: Snapshot, feat_customer_rfm: Snapshot,
    feat_customer_behaviour: Snapshot, as_of: AsOf,
) -> DataFrame:  # fmt: skip
    """Whom to look for and whom to leave out: group by rules and clusters, audience by value, likeness to the best, conversion value."""
    key, names = ["customer_id", "as_of_date"], [f"value_{back}" for back in range(DAYS - 1, -1, -1)]
    age = F.date_diff(F.lit(as_of).cast("date"), F.col("as_of_date"))
    lately = pred_customer_value.where(age.between(0, DAYS - 1)).withColumn("age", age)
    values = lately.groupBy("customer_id").agg(
        *(F.max(F.when(F.col("age") == int(name[6:]), F.col("value_1y"))).alias(name) for name in names)
    )
    today = lately.where("age = 0").select(*key, "churned", "spend_per_order", "model_version").join(values, "customer_id")
    history = F.expr("repeat_days * mean_repeat_spend").alias("spent_before")
    rows = (
        today.join(feat_customer_rfm.select(*key, "tenure_days", history), key)
        .join(feat_customer_behaviour.select(*key, *(name for name in LIKENESS if name != "tenure_days")), key)
        .join(pred_customer_segment.select(*key, "segment"), key, "left")
    )
    likeness, margin = list(LIKENESS), MARGIN

    def told(found: Any) -> Any:
        from lakehouse.science.value.advertising import told_to_advertising

        found = found.sort_values("customer_id", ignore_index=True)  # equal values are told apart by place
        made = told_to_advertising(found, values=names, likeness=likeness, margin=margin)
        return found[["customer_id", "as_of_date", "model_version"]].merge(made, on="customer_id")

    schema = (
        "customer_id string, as_of_date date, marketing_group string, claimed_by string, audience string, lookalike double, "
        "conversion_value double, model_version int"
    )
    made = rows.groupBy("as_of_date").applyInPandas(told, schema)
    attitudes = pred_customer_attitude.select(*key, "attitude")
    return made.join(attitudes, key, "left").select(
        *key, "marketing_group", "claimed_by", "attitude", "audience", "lookalike", "conversion_value", "model_version"
    )
