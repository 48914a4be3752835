from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Snapshot, at_least, between, holds, one_of, references, table

from ..silver.survey_answers import NEEDS
from .feat_customer_rfm import at_end_of

ITEMS = tuple(f"need_{name}" for name in NEEDS)
SCALES = {"quality": ITEMS[0:3], "price": ITEMS[3:6], "convenience": ITEMS[6:9], "responsibility": ITEMS[9:12]}
"""What the twelve needs of the questionnaire ask after, three each."""
EXPORTED = "date_trunc('WEEK', submitted_at) + INTERVAL 7 DAYS"
"""The survey tool exports on Mondays what was sent in the week before: nobody knew it earlier."""
TOLD = (*ITEMS, "recommendation", "age_group", "heard_of_us_by")


def told_on(people: DataFrame, survey_answers: DataFrame) -> DataFrame:
    """The last questionnaire of each customer that was known at their moment; careless ones (all answers the same) are left out."""
    moments = people.select("customer_id", "as_of_date", "moment")
    careful = survey_answers.where("NOT coalesce(is_straight_line, false)").withColumn("exported_at", F.expr(EXPORTED))
    sent = careful.select("customer_id", "answer_id", "submitted_at", "exported_at", *TOLD)
    known = moments.join(sent, "customer_id").where("exported_at < moment")
    last = F.max_by(F.struct("submitted_at", "exported_at", *TOLD), F.struct("submitted_at", "answer_id")).alias("last")
    return known.groupBy("customer_id", "as_of_date", "moment").agg(last, F.count(F.lit(1)).cast("int").alias("questionnaires")).select(
        "customer_id", "as_of_date", *(F.col(f"last.{name}").alias(name) for name in TOLD), "questionnaires",
        ((F.unix_seconds("moment") - F.unix_seconds("last.submitted_at")) / 86400.0).alias("answer_age_days"),
        F.col("last.exported_at").alias("survey_known_until"),
    )  # fmt: skip


@table(
    key=("customer_id", "as_of_date"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("customer_id", "string", "Who answered a survey by then.", sensitivity="pseudonym"),
        Column("as_of_date", "date", "What was exported until the end of this day (UTC) is known, nothing after it."),
        *(Column(f"need_{name}", "tinyint", f"How much the customer {said}, 1 to 5.", between(1, 5)) for name, said in NEEDS.items()),
        Column("recommendation", "tinyint", "Would recommend us, 0 to 10.", between(0, 10)),
        Column("age_group", "string", "Age group.", one_of("18-29", "30-44", "45-59", "60+"), sensitivity="personal"),
        Column("heard_of_us_by", "string", "What the customer says brought them."),
        Column("questionnaires", "int", "How many they had sent.", at_least(1)),
        Column("answer_age_days", "double", "Days since the last one.", at_least(0)),
        Column("survey_known_until", "timestamp", "When the newest record used was made: before the day's end."),
    ],
    checks=[
        references("customers", "customer_id"),
        holds("survey_known_until < date_add(as_of_date, 1)", "nothing_known_later", action="stop"),
    ],
)
def feat_customer_survey(survey_answers: Snapshot, customers: Snapshot, as_of: AsOf) -> DataFrame:
    """What customers who answered a survey had said of themselves, as known at the end of a day from their last questionnaire."""
    return told_on(at_end_of(as_of, customers), survey_answers)
