from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.declare import Column, Touched, history, table

TRACKED = ("email", "postcode", "city", "country", "segment")


@table(
    key="customer_sk",
    owner="crm",
    refresh="nightly",
    columns=[
        Column("customer_sk", "string", "One customer in one interval; facts name it.", sensitivity="pseudonym"),
        Column("customer_id", "string", "The shop's customer number.", sensitivity="pseudonym"),
        Column("email", "string", "E-mail address; empty for deleted customers.", sensitivity="personal"),
        Column("postcode", "string", "Postcode; empty for deleted customers.", sensitivity="personal"),
        Column("city", "string", "City; empty for deleted customers.", sensitivity="personal"),
        Column("country", "string", "Country, ISO 3166 two letters."),
        Column("segment", "string", "private, business or student."),
        Column("customer_since", "timestamp", "When the customer signed up, UTC."),
        Column("is_deleted", "boolean", "Whether the shop deleted the customer."),
        Column("valid_from", "timestamp", "From when on the row holds, UTC."),
        Column("valid_to", "timestamp", "Until when it held, UTC; empty while it holds."),
        Column("is_current", "boolean", "Whether it holds now."),
    ],
)
def dim_customer(shop__customers: Touched["customer_id"]) -> DataFrame:
    """Customers with their history (type 2): a row for each interval in which e-mail, address and segment stayed the same.

    A customer whom the shop deleted keeps the intervals that facts refer to, without anything personal.
    """
    person = Window.partitionBy("customer_id")
    fate = shop__customers.select(
        "customer_id",
        (F.max_by("_op", "_sequence").over(person) == "delete").alias("is_deleted"),
        F.min("created_at").over(person).alias("customer_since"),
    ).distinct()
    intervals = history(shop__customers, key="customer_id", tracked=TRACKED).join(fate, "customer_id")

    def unless_deleted(name: str) -> F.Column:
        return F.when(~F.col("is_deleted"), F.col(name)).alias(name)

    return intervals.select(
        F.sha2(F.concat_ws("|", "customer_id", F.unix_micros("valid_from").cast("string")), 256).alias("customer_sk"),
        "customer_id", *(unless_deleted(name) for name in ("email", "postcode", "city")), "country", "segment",
        "customer_since", "is_deleted", "valid_from", "valid_to", "is_current",
    )  # fmt: skip
